#!/bin/sh
# A video with nothing but curl: create, ask until it is done, download.
set -eu
auth="Authorization: Bearer $OPENAI_API_KEY"
body='{"prompt": "a penguin dances", "size": "320x176", "seconds": "1"}'
made=$(curl -sSf "$OPENAI_BASE_URL/videos" -H "$auth" -H 'Content-Type: application/json' -d "$body")
id=$(printf %s "$made" | sed 's/.*"id":"\(video_[0-9a-f]*\)".*/\1/')
until curl -sSf "$OPENAI_BASE_URL/videos/$id" -H "$auth" | grep -q '"status":"completed"'; do sleep 1; done
curl -sSf "$OPENAI_BASE_URL/videos/$id/content" -H "$auth" -o curl.mp4
echo curl.mp4
