// Every operation of the Videos API through the official Node package; prints what came back as JSON.
// Arguments: the package's folder, the base URL, a clip, a picture, the URL and the posts of a webhook receiver.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const [folder, baseURL, clipPath, picturePath, hookURL, postsURL] = process.argv.slice(2);
const entry = pathToFileURL(`${folder}/node_modules/openai/index.mjs`).href;
const { default: OpenAI, toFile } = await import(entry);
const client = new OpenAI({ baseURL, apiKey: 'any-word-will-do' });
const prompt = 'a brown dog runs across a meadow';
const quick = { size: '96x64', seconds: '0.5' };
const drawn = { size: '96x64', seconds: '0.25', model: 'tiny' };
const clip = () => toFile(fs.createReadStream(clipPath), 'clip.mp4', { type: 'video/mp4' });
const picture = () => toFile(fs.createReadStream(picturePath), 'dog.png', { type: 'image/png' });
const said = {};

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function finished(video) {
  while (['queued', 'in_progress'].includes(video.status)) {
    await sleep(200);
    video = await client.videos.retrieve(video.id);
  }
  return video;
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    const { status, code, param, type } = error;
    return { kind: error.constructor.name, status, code, param, type, message: error.message, id: !!error.requestID };
  }
  return null;
}

const created = await client.videos.create({ prompt, ...quick });
const done = await finished(created);
said.create = { created, done };
said.content = {};
for (const variant of [undefined, 'video', 'thumbnail', 'spritesheet']) {
  const answer = await client.videos.downloadContent(done.id, variant ? { variant } : {});
  const bytes = Buffer.from(await answer.arrayBuffer());
  said.content[variant ?? 'default'] = {
    type: answer.headers.get('content-type'), bytes: bytes.length, head: bytes.subarray(0, 12).toString('latin1'),
  };
}

said.listed = [];
for await (const video of client.videos.list({ limit: 1 })) {
  said.listed.push(video.id);
  if (said.listed.length === 3) break;
}

said.file_reference = await finished(
  await client.videos.create({ prompt, input_reference: await picture(), ...drawn }),
);
const image_url = `data:image/png;base64,${fs.readFileSync(picturePath).toString('base64')}`;
said.url_reference = await client.videos.create({ prompt, input_reference: { image_url }, ...drawn });
const file = await client.files.create({ file: await picture(), purpose: 'vision' });
said.file = file;
said.id_reference = await client.videos.create({ prompt, input_reference: { file_id: file.id }, ...drawn });

said.remix = await client.videos.remix(done.id, { prompt: 'a black dog', model: 'tiny' });
said.edit = await client.videos.edit({ prompt: 'at night', video: { id: done.id }, model: 'tiny' });
said.edit_file = await client.videos.edit({ prompt: 'at night', video: await clip(), model: 'tiny' });
said.extend = await client.videos.extend({ prompt: 'it barks', seconds: '0.5', video: { id: done.id } });
for (const unused of [said.url_reference, said.id_reference, said.remix, said.edit, said.edit_file]) {
  await client.videos.delete(unused.id);
}
said.extended = await finished(said.extend);

const character = await client.videos.createCharacter({ name: 'Mossy', video: await clip() });
said.character = { made: character, fetched: await client.videos.getCharacter(character.id) };
const starring = { prompt: 'Mossy runs across a meadow', characters: [{ id: character.id }], ...drawn };
said.starring = await finished(await client.videos.create(starring));

const line = JSON.stringify({ custom_id: 'one', method: 'POST', url: '/v1/videos', body: { prompt, ...quick } });
const input = await client.files.create({ file: await toFile(Buffer.from(line), 'batch.jsonl'), purpose: 'batch' });
let batch = await client.batches.create({
  input_file_id: input.id, endpoint: '/v1/videos', completion_window: '24h',
});
while (['validating', 'in_progress', 'finalizing'].includes(batch.status)) {
  await sleep(300);
  batch = await client.batches.retrieve(batch.id);
}
said.batch = batch;
said.batch_output = JSON.parse(await (await client.files.content(batch.output_file_id)).text());

const hook = await client.webhooks.create({ name: 'node', url: hookURL, event_types: ['video.completed'] });
const told = await finished(await client.videos.create({ prompt, ...quick }));
let post = null;
for (let tries = 0; post === null; tries += 1) {
  if (tries === 200) throw new Error('no webhook came');
  await sleep(200);
  const answer = await fetch(`${postsURL}?about=${told.id}`);
  if (answer.status === 200) post = await answer.json();
}
said.webhook = await client.webhooks.unwrap(post.body, post.headers, hook.signing_secret);
said.forged = await refusal(client.webhooks.unwrap(`${post.body} `, post.headers, hook.signing_secret));
said.webhook_video = told.id;
said.event_types = (await client.webhooks.eventTypes.list()).data;
said.webhook_deleted = await client.webhooks.delete(hook.id);

said.models = [];
for await (const model of client.models.list()) said.models.push(model.id);

said.bad_size = await refusal(client.videos.create({ prompt, size: '1x1' }));
said.absent = await refusal(client.videos.retrieve(`video_${'0'.repeat(32)}`));
const stranger = new OpenAI({ baseURL, apiKey: `sk-daybreak-${'x'.repeat(43)}` });
said.stranger = await refusal(stranger.videos.list());
said.deleted = await client.videos.delete(done.id);
said.gone = await refusal(client.videos.retrieve(done.id));
console.log(JSON.stringify(said));
