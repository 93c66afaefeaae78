"""The newest finished video, made longer; openai-python sends objects only as JSON, by a plain post."""

from openai import OpenAI

client = OpenAI()
source = next(video for video in client.videos.list() if video.status == "completed")
body = {"prompt": "the dog lies down", "seconds": "0.5", "video": {"id": source.id}}
extended = client.post("/videos/extensions", body=body, cast_to=dict)
video = client.videos.poll(str(extended["id"]))
client.videos.download_content(video.id).write_to_file("longer.mp4")
print(f"longer.mp4: {source.seconds} s became {video.seconds} s")
