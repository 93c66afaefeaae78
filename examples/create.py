"""A video from a prompt, as it was done with Sora: OPENAI_BASE_URL and OPENAI_API_KEY say where."""

from openai import OpenAI

client = OpenAI()
video = client.videos.create_and_poll(
    prompt="a brown dog runs across a meadow at sunset",
    model="sora-2",
    size="320x176",  # type: ignore[arg-type]  # the package knows Sora's sizes only; Daybreak makes any
    seconds="1",  # type: ignore[arg-type]
)
if video.status != "completed":
    raise SystemExit(f"{video.id} failed: {video.error}")
client.videos.download_content(video.id).write_to_file("video.mp4")
client.videos.download_content(video.id, variant="thumbnail").write_to_file("thumbnail.webp")
print("video.mp4")
