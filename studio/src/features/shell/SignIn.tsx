import { useState } from "react";
import { send } from "@/api/client";
import { client } from "@/api/query";
import { Button, Field, inputLook } from "@/components/controls";
import { Failure } from "@/components/states";
import { Sun } from "@/features/shell/Shell";
import { t } from "@/lib/i18n";

/** Where a server that other machines can reach asks for a key. */
export function SignIn() {
  const [key, setKey] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await send("POST", "studio/session", { key });
      await client.invalidateQueries();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="grid h-dvh place-items-center p-6">
      <form onSubmit={submit} className="flex w-full max-w-sm flex-col gap-5">
        <Sun className="size-12" />
        <div>
          <h1 className="text-2xl font-semibold">{t("Sign in to Daybreak")}</h1>
          <p className="mt-1 text-text-2">
            {t("This server asks for an API key. Whoever runs it makes one with: daybreak keys create")}
          </p>
        </div>
        <Field label={t("API key")}>
          {(id) => (
            <input
              id={id}
              type="password"
              autoComplete="current-password"
              required
              value={key}
              onChange={(event) => setKey(event.target.value)}
              placeholder="sk-daybreak-…"
              className={inputLook}
            />
          )}
        </Field>
        {error !== null && <Failure error={error} title={t("This key does not open anything")} />}
        <Button look="primary" type="submit" busy={busy} disabled={!key.trim()}>
          {t("Sign in")}
        </Button>
      </form>
    </main>
  );
}
