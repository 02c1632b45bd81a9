// Sends the events of a desktop application to Chartwell: in batches, compressed, each event once.
//
// A batch is a file. Events are gathered in memory for some seconds, and then written into a folder; the file
// goes when the server has answered for it. What an application could not send before it ended, or crashed, it
// sends when it starts again. An event has its id from the moment it is captured, so that a batch may be sent
// any number of times: the server sets aside the ids that it knows.
//
// Nothing here throws into the application, but for an event that is no JSON.

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

const DEFAULTS = {
  /** A batch is complete at this many events, or bytes before compression, or after this time. */
  batchEvents: 500,
  batchBytes: 1 << 20,
  batchMs: 5_000,
  /** What may wait in the folder; beyond it the oldest batches are dropped. */
  queueBytes: 64 << 20,
  /** The first wait after a failure, which doubles up to the longest. */
  firstRetryMs: 1_000,
  longestRetryMs: 300_000,
  /** How long an answer may take. */
  timeoutMs: 30_000,
  /** In Electron, `net.fetch` goes through the proxy of the system. */
  fetch: (...request) => globalThis.fetch(...request),
  /** The server refused an event for good: (event, { code, detail }). */
  onRejected: () => {},
  /** Events were dropped unsent: (count, reason). The count is 0 when nobody knows it. */
  onDropped: () => {},
  /** A batch was not taken and will be sent again: (reason, waitMs). */
  onRetry: () => {},
};

/** What a server says of a body that will never be accepted, however often it is sent. */
const REFUSED_FOR_GOOD = [400, 413, 415, 422];
/** No server is believed that wants more patience than this. */
const MOST_PATIENCE_MS = 3_600_000;
const ENDING = '.ndjson.gz';

export class BatchSender {
  #settings;
  /** Lines of the batch that is being gathered. */
  #lines = [];
  #lineBytes = 0;
  #timer;
  /** Bytes that are captured and not yet on disk. */
  #unstoredBytes = 0;
  #storing = Promise.resolve();
  /** Batches on disk, the oldest first; only the first one is on its way. */
  #batches = [];
  #isSending = false;
  #sending = Promise.resolve();
  #isClosing = false;
  #wake = new AbortController();
  /** The request that is on its way. */
  #request;

  /**
   * Opens the folder and sends what an earlier run left there. Needed: `url` of the server, `token` (or a
   * function that gives one, also in a promise) and `folder`, which belongs to this sender alone.
   */
  static async open(settings) {
    for (const name of ['url', 'token', 'folder']) {
      if (!settings[name]) throw new TypeError(`the batch sender needs \`${name}\``);
    }
    const sender = new BatchSender({ ...DEFAULTS, ...settings });
    await sender.#readFolder();
    sender.#send();
    return sender;
  }

  constructor(settings) {
    this.#settings = settings;
  }

  /** Takes an event, such as `{ event: 'interaction', data: { latency_ms: 12 } }`; returns its id. */
  capture(event) {
    const event_id = event.event_id ?? randomUUID();
    const time_utc = event.time_utc ?? event.timestamp ?? new Date().toISOString();
    const line = JSON.stringify({ ...event, event_id, time_utc });
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#isClosing || this.#unstoredBytes + bytes > this.#settings.queueBytes) {
      this.#tell('onDropped', 1, this.#isClosing ? 'the sender is closed' : 'the disk is too slow');
      return event_id;
    }
    this.#lines.push(line);
    this.#lineBytes += bytes;
    this.#unstoredBytes += bytes;
    if (this.#lines.length >= this.#settings.batchEvents || this.#lineBytes >= this.#settings.batchBytes) {
      this.#complete();
    } else {
      this.#timer ??= setTimeout(() => this.#complete(), this.#settings.batchMs);
    }
    return event_id;
  }

  /** Resolves when everything that was captured is sent, however long that takes. */
  async flush() {
    this.#complete();
    await this.#storing;
    await this.#sending;
  }

  /**
   * Ends, within `deadlineMs`: everything is on disk then, and as much of it as possible sent. Returns how many
   * batches are left for the next start.
   */
  async close(deadlineMs = 2_000) {
    this.#isClosing = true;
    this.#complete();
    const ended = this.#storing.then(() => {
      this.#wake.abort();
      return this.#sending;
    });
    const deadline = new AbortController();
    await Promise.race([ended, pause(deadlineMs, undefined, { signal: deadline.signal })]);
    deadline.abort();
    this.#request?.abort();
    return this.#batches.length;
  }

  /** The batch that is being gathered is complete. */
  #complete() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const [lines, bytes] = [this.#lines, this.#lineBytes];
    [this.#lines, this.#lineBytes] = [[], 0];
    this.#storing = this.#storing.then(async () => {
      await this.#store(lines.join('\n'));
      this.#unstoredBytes -= bytes;
      this.#send();
    });
  }

  async #store(text) {
    const body = await compress(text);
    const batch = { file: join(this.#settings.folder, `${Date.now()}-${randomUUID()}${ENDING}`), size: body.length };
    try {
      // Under its name only when it is whole.
      await writeFile(`${batch.file}.part`, body, { mode: 0o600, flush: true });
      await rename(`${batch.file}.part`, batch.file);
    } catch {
      // A disk that is full is no reason to lose what can be sent: it waits in memory.
      batch.body = body;
    }
    this.#batches.push(batch);
    await this.#makeRoom();
  }

  async #readFolder() {
    const { folder } = this.#settings;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const name of (await readdir(folder)).sort()) {
        const file = join(folder, name);
        if (name.endsWith(ENDING)) {
          this.#batches.push({ file, size: (await stat(file)).size });
        } else if (name.endsWith('.part')) {
          await this.#remove(file);
        }
      }
      await this.#makeRoom();
    } catch (error) {
      this.#tell('onDropped', 0, `the folder cannot be read: ${error.message}`);
    }
  }

  /** Drops the oldest batches that are not on their way, until the others fit. */
  async #makeRoom() {
    const size = () => this.#batches.reduce((sum, batch) => sum + batch.size, 0);
    while (this.#batches.length > 1 && size() > this.#settings.queueBytes) {
      const [dropped] = this.#batches.splice(1, 1);
      const events = await this.#events(dropped);
      await this.#remove(dropped.file);
      this.#tell('onDropped', events.length, 'the folder is full');
    }
  }

  #send() {
    if (!this.#isSending) this.#sending = this.#sendAll();
  }

  async #sendAll() {
    this.#isSending = true;
    let failures = 0;
    while (this.#batches.length > 0) {
      const failure = await this.#sendOnce(this.#batches[0]);
      if (!failure) {
        failures = 0;
        this.#batches.shift();
        continue;
      }
      if (this.#isClosing) break;
      const waitMs = this.#waitMs(failure, failures++);
      this.#tell('onRetry', failure.reason, waitMs);
      await pause(waitMs, undefined, { signal: this.#wake.signal }).catch(() => {});
      if (this.#isClosing) break;
    }
    this.#isSending = false;
  }

  /** How long to wait: at least what the server says, and never all clients at once. */
  #waitMs({ retryAfterMs }, failures) {
    const { firstRetryMs, longestRetryMs } = this.#settings;
    const backoffMs = Math.min(firstRetryMs * 2 ** failures, longestRetryMs);
    return (retryAfterMs ?? backoffMs / 2) + (Math.random() * backoffMs) / 2;
  }

  /** Sends a batch. Returns why it must be sent again, or nothing when the server has answered for it. */
  async #sendOnce(batch) {
    const { url, token, timeoutMs, fetch } = this.#settings;
    let body, status, text, retryAfterMs;
    try {
      body = batch.body ?? (await readFile(batch.file));
    } catch (error) {
      this.#tell('onDropped', 0, `a batch cannot be read: ${error.message}`);
      return undefined;
    }
    const request = (this.#request = new AbortController());
    const timer = setTimeout(() => request.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const response = await fetch(`${url}/api/v1/events`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${typeof token === 'function' ? await token() : token}`,
          'content-type': 'application/x-ndjson',
          'content-encoding': 'gzip',
        },
        body,
        redirect: 'error',
        signal: request.signal,
      });
      // An answer that is cut off tells nothing: the batch may be stored, and is sent again.
      text = await response.text();
      status = response.status;
      retryAfterMs = parseRetryAfter(response.headers.get('retry-after'));
    } catch (error) {
      return { reason: error.cause?.message ?? error.message };
    } finally {
      clearTimeout(timer);
    }
    const answer = parse(text);
    // A page of somebody's login is a 200.
    if (status === 202 && answer) {
      await this.#settle(batch, answer.rejected ?? []);
    } else if (REFUSED_FOR_GOOD.includes(status) && answer) {
      await this.#settle(batch, refusals(answer));
    } else {
      return { reason: `status ${status}`, retryAfterMs };
    }
    return undefined;
  }

  /** The server has answered for a batch: it is told which events were refused, and forgotten. */
  async #settle(batch, rejected) {
    const events = rejected.length > 0 ? await this.#events(batch) : [];
    for (const { index, code, detail } of rejected) {
      const refused = index === undefined ? events : [events[index]];
      refused.forEach((event) => this.#tell('onRejected', event, { code, detail }));
    }
    await this.#remove(batch.file);
  }

  /** A file that cannot be removed is sent again at the next start, and the server knows its events by then. */
  async #remove(file) {
    await rm(file, { force: true, maxRetries: 3 }).catch(() => {});
  }

  /** Calls back by itself, so that what goes wrong there stops nothing here. */
  #tell(callback, ...what) {
    queueMicrotask(() => this.#settings[callback](...what));
  }

  async #events(batch) {
    try {
      const text = await decompress(batch.body ?? (await readFile(batch.file)));
      return text.toString().split('\n').map(JSON.parse);
    } catch {
      return [];
    }
  }
}

/** The refusals of a problem: one for each event, or one for the whole body. */
function refusals({ code, detail, errors = [] }) {
  const named = errors.filter(({ pointer }) => /^\/\d+/.test(pointer ?? ''));
  if (named.length === 0) return [{ code, detail }];
  return named.map((error) => ({ ...error, index: Number.parseInt(error.pointer.slice(1), 10) }));
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` in milliseconds: it is in seconds, or a date. */
function parseRetryAfter(value) {
  if (!value) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MOST_PATIENCE_MS);
}
