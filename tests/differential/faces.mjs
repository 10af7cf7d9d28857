// faces.mjs - other faces than REST, held against it. An operation goes to REST first, a write only to try it (Prefer: tx=rollback), and then to the
// face, which must answer the same in its own words. How words become others is the scenarios' matter (tests/scenario/face_*.mjs): what REST has
// answered stands as the expected answer of a step.
import { graphql } from '../scenario/face_graphql.mjs';
import { grpc } from '../scenario/face_grpc.mjs';
import { NotHere } from '../scenario/session.mjs';
import { Wire } from './wire.mjs';

// `percent`: how much of the operations that REST has words for is told to the face too. `least`: what share of them it must have words for itself.
// `options`: of the server, where the face has limits that REST has not.
export const faces = {
  graphql: { face: graphql, percent: 36, least: 0.5, options: ['--graphql-cost-max', '1000000000'] },
  grpc: { face: grpc, percent: 24, least: 0.15, options: [] },
};

const wanted = process.env.FACES?.split(',').filter((name) => name !== '') ?? Object.keys(faces);
export const faceOptions = Object.values(faces).flatMap(({ options }) => options);

// Which face an operation is told to beside REST; undefined: none.
export const pickFace = (random) => random.weighted([[100 - wanted.reduce((sum, name) => sum + faces[name].percent, 0), undefined], ...wanted.map((name) => [faces[name].percent, name])]);

// Of one server: `known(text)` says whether a value that the server makes has been seen before.
export class FaceSession {
  constructor(name, server, tokens, known) {
    this.name = name;
    this.wire = new Wire(server.port);
    this.session = faces[name].face.open({ ...server, client: () => new Wire(server.port) }, new Map(Object.entries(tokens)));
    this.known = known;
  }

  close() { this.session.close(); this.wire.close(); }

  // The answer in REST's form, with `otherwise` where the face's differs, and `isPlayed` where it had the words.
  async send(request, operation) {
    const trial = operation.isWrite ? { ...request, headers: { ...request.headers, Prefer: 'tx=rollback' } } : request;
    const answer = await this.wire.send(trial);
    const { expected, names } = expect(answer, (value) => !this.known(value) && !(request.body ?? '').includes(value));
    const taken = new Map();
    try {
      const otherwise = await this.session.play({ request: stepOf(request, operation), answer: expected }, taken);
      return { ...afterTrial(answer, operation, names, taken), isPlayed: true, otherwise: otherwise && `${this.name} answers otherwise than rest\n${otherwise}\nrest: ${answer.status} ${answer.text.slice(0, 1500)}` };
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      if (process.env.SHOW) console.error(`${this.name} leaves to REST: ${request.method} ${request.target.slice(0, 200)}: ${error.message}`);
      return operation.isWrite ? this.wire.send(request) : answer;
    }
  }
}

const ours = new Set(['x-request-id', 'authorization']);
const stepOf = ({ method, target, headers, body }, { caller }) => ({ method, target, query: [], headers: Object.entries(headers).filter(([name]) => !ours.has(name.toLowerCase())), body, caller, line: 0 });

const parse = (text) => { try { return JSON.parse(text); } catch { return undefined; } };

// REST's answer as a scenario would expect it; what the server made up for the trial may be anything the second time, and is taken by name.
function expect({ status, headers, text }, isNew) {
  const names = new Map();
  const masked = text.replace(made, (value) => {
    if (!isNew(value)) return value;
    if (!names.has(value)) names.set(value, `$M${names.size}`);
    return names.get(value);
  });
  const body = /json\b/.test(headers.get('content-type') ?? '') && text !== '' ? parse(masked) : undefined;
  for (const result of body?.results ?? []) result.headers = '$any';
  const expected = { status, code: null, headers: [], absent: [], errors: [], members: [], patterns: [], exact: null, isEmpty: text === '', body };
  if (status < 400 || body === undefined) return { expected, names };
  // What is no parameter here is none there, but is told in each face's words; all else is told alike.
  const members = status === 400 ? [] : ['detail', 'rule', 'operation'].filter((name) => body[name] !== undefined).map((name) => [name, String(body[name])]);
  return { expected: { ...expected, body: undefined, code: body.code, errors: (body.errors ?? []).map(({ pointer, code }) => ({ pointer, code })), members }, names };
}

// What a trial answered, with the values of what was done in the end.
function afterTrial(answer, operation, names, taken) {
  if (!operation.isWrite) return answer;
  const headers = new Map([...answer.headers].filter(([name]) => !['etag', 'location', 'preference-applied'].includes(name)));
  const text = answer.text.replace(made, (value) => taken.get(names.get(value)) ?? value);
  return { ...answer, headers, text };
}

// What servers make up themselves: keys (UUIDv7), and the time.
export const made = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|20(?:2[5-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
