"""The database: tables, migrations, and the records of what is not a job. SQLite by default, PostgreSQL by URL."""
