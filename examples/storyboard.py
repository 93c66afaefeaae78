"""Two shots in one clip, by Daybreak's timeline, followed as it is made."""

import json

import httpx2
from openai import OpenAI

client = OpenAI()
shots = [{"prompt": "a red car drives through the town", "start": 0}, {"prompt": "a penguin dances", "start": 0.5}]
body = {"model": "sora-2", "size": "320x176", "seconds": "1", "seed": 7, "timeline": {"shots": shots}}
video = client.post("/videos", body=body, cast_to=dict)
events = f"{client.base_url}videos/{video['id']}/events"
with httpx2.stream("GET", events, headers={"authorization": f"Bearer {client.api_key}"}, timeout=None) as stream:
    for line in stream.iter_lines():
        if line.startswith("data: ") and "image" not in (event := json.loads(line[6:])):
            print(event["type"], event.get("queue_position"), event.get("step"), event.get("steps"))
client.videos.download_content(str(video["id"])).write_to_file("storyboard.mp4")
