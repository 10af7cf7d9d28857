// session.mjs - a face that plays a story's steps as far as their words have a meaning there; the others are played over REST, against the same
// server, so that the story goes on.
// A face is { name, least?, open(server, tokens) → { play(step, variables), close() } }. `play` resolves to null, or to a sentence that says how the
// answer differs from the step's; it throws NotHere for a step that the face has no words for, and then the server is as it was.
import { rest } from './face_rest.mjs';

export class NotHere extends Error {}
export const notHere = (why) => { throw new NotHere(why); };

// How many steps each face has played, and how many it has left to REST, in the whole run.
const counted = new Map();
export const counts = (name) => counted.get(name) ?? { played: 0, left: 0 };

export function openSession(face, server, tokens) {
  if (face === rest) return rest.open(server, tokens);
  const session = face.open(server, tokens);
  const other = rest.open(server, tokens);
  const mine = counts(face.name);
  counted.set(face.name, mine);
  return {
    async play(step, variables) {
      const before = new Map(variables);
      try {
        const difference = await session.play(step, variables);
        mine.played++;
        return difference;
      } catch (error) {
        if (!(error instanceof NotHere)) throw error;
        if (process.env.SCENARIO_SHOW) console.error(`${face.name} leaves to REST: ${step.request.method} ${step.request.target}: ${error.message}`);
        mine.left++;
        variables.clear();
        for (const [name, value] of before) variables.set(name, value);
        return other.play(step, variables);
      }
    },
    close() {
      session.close();
      other.close();
    },
  };
}
