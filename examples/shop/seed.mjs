// seed.mjs - fills the shop with sample data through its own API: `node seed.mjs URL TOKEN`. The same data every time: all that looks
// random comes from one seed. Many requests are under way at once, so that the server can commit many in one transaction.
import net from 'node:net';

const [url, token] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const connections = 64;
const inFlightMax = 4; // on each connection

// mulberry32: small, and the same on every machine.
let state = 20231105;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const chance = (part) => random() < part;
const dayMs = 86400000;
const timeBetween = (fromMs, toMs) => new Date(Math.floor(fromMs + random() * (toMs - fromMs))).toISOString();
const opened = Date.UTC(2021, 2, 1);
const today = Date.UTC(2025, 9, 31);

// A shelf: its name, the shelves on it with what stands there, and how such things are called.
const shelves = [
  ['Tea', ['Green tea', 'Black tea', 'Oolong', 'White tea', 'Herbal tea'], ['First Flush', 'Mountain', 'Imperial', 'Smoked', 'Jasmine', 'Garden', 'Winter', 'Golden'], ['Darjeeling', 'Sencha', 'Assam', 'Pu-erh', 'Keemun', 'Gyokuro', 'Rooibos', 'Matcha'], [4, 48]],
  ['Coffee', ['Whole beans', 'Ground coffee', 'Espresso', 'Decaffeinated'], ['Single Origin', 'Dark Roast', 'Light Roast', 'Washed', 'Natural', 'Highland', 'Breakfast'], ['Ethiopia', 'Colombia', 'Guatemala', 'Sumatra', 'Kenya', 'House Blend', 'Peru'], [6, 36]],
  ['Kitchen', ['Pots', 'Knives', 'Boards', 'Baking', 'Storage'], ['Cast-Iron', 'Copper', 'Beech', 'Enamel', 'Steel', 'Stoneware', 'Olive-Wood'], ['Saucepan', 'Paring Knife', 'Chopping Board', 'Loaf Tin', 'Jar', 'Casserole', 'Whisk', 'Colander'], [8, 220]],
  ['Table', ['Cups', 'Plates', 'Glasses', 'Linen', 'Cutlery'], ['Hand-Thrown', 'Plain', 'Blue-Rimmed', 'Ribbed', 'Washed-Linen', 'Speckled', 'Everyday'], ['Cup', 'Dinner Plate', 'Tumbler', 'Napkin', 'Bowl', 'Carafe', 'Tablecloth', 'Teapot'], [5, 120]],
  ['Stationery', ['Notebooks', 'Pens', 'Paper', 'Ink', 'Desk'], ['Pocket', 'Dotted', 'Cloth-Bound', 'Fine', 'Brass', 'Recycled', 'Cotton'], ['Notebook', 'Fountain Pen', 'Letter Pad', 'Ink Bottle', 'Ruler', 'Pencil Case', 'Envelope Set'], [2, 90]],
  ['Garden', ['Seeds', 'Tools', 'Pots and planters', 'Watering'], ['Heirloom', 'Forged', 'Terracotta', 'Galvanised', 'Dwarf', 'Climbing', 'Hardy'], ['Tomato Seeds', 'Trowel', 'Planter', 'Watering Can', 'Secateurs', 'Bean Seeds', 'Twine'], [2, 75]],
  ['Bath', ['Soap', 'Towels', 'Brushes', 'Oils'], ['Olive', 'Lavender', 'Unscented', 'Waffle', 'Organic', 'Cedar', 'Sea-Salt'], ['Soap Bar', 'Hand Towel', 'Nail Brush', 'Bath Oil', 'Bath Towel', 'Shampoo Bar'], [3, 60]],
  ['Books', ['Cooking', 'Gardening', 'Craft', 'Travel'], ['The Little', 'The Complete', 'A Year of', 'An Introduction to', 'Notes on', 'The Art of'], ['Fermentation', 'Bread', 'Perennials', 'Bookbinding', 'Tea Houses', 'Alpine Walks', 'Kitchen Gardens', 'Natural Dyes'], [9, 65]],
];
const sizes = ['', ' Small', ' Large', ', Set of Two', ', Set of Four', ' 100 g', ' 250 g', ' No. 3', ' No. 7', ', Limited Edition'];
const tags = ['new', 'gift', 'sale', 'organic', 'handmade', 'vegan', 'fragile', 'seasonal', 'bestseller', 'refill'];
const makers = ['a family workshop in the Jura', 'a small cooperative', 'two sisters near Porto', 'a mill that has run since 1892', 'growers we visit every spring', 'a potter in Brittany', 'our own workshop', 'a studio in Kyoto'];
const uses = ['for every day', 'for slow mornings', 'to give away', 'for a small kitchen', 'that lasts', 'for those who have tried the rest', 'that ages well'];
const firstNames = ['Ada', 'Noor', 'Emil', 'Ines', 'Tomasz', 'Yuki', 'Leila', 'Mateo', 'Freya', 'Kofi', 'Saoirse', 'Bruno', 'Anouk', 'Ravi', 'Ilse', 'Dmitri', 'Zoë', 'Amara', 'Jonas', 'Mei'];
const lastNames = ['Lindqvist', 'Okafor', 'Moreau', 'Tanaka', 'Brandt', 'Silva', 'Kowalska', 'Haddad', 'Byrne', 'Rossi', 'Nguyen', 'Petrov', 'Sharma', 'Dubois', 'Castillo', 'Meyer', 'Jansen', 'Adeyemi', 'Novak', 'Larsen'];
const opinions = {
  1: [['It broke within a week.', 'Not what the picture shows.', 'Arrived in pieces.', 'I would not buy this again.'], ['The refund came quickly, at least.', 'A pity, the idea is good.', 'I have told the shop.', 'Mine may have been a bad one.']],
  2: [['Smaller than I had thought.', 'Too dear for what it is.', 'Looks better than it works.', 'The lid does not sit well.'], ['I keep it for guests.', 'It does the job, barely.', 'Delivery was fine.', 'Perhaps others are luckier.']],
  3: [['Neither good nor bad.', 'Decent, with small faults.', 'Does what it says.', 'Fine for the price.'], ['I might buy it again on sale.', 'The colour is a little off.', 'My neighbour likes hers more.', 'Packaging could be simpler.']],
  4: [['Very nice, and well made.', 'Better than I expected.', 'We use it nearly every day.', 'A good present.'], ['One star less for the wait.', 'The handle could be longer.', 'I would buy it again.', 'Already ordered a second one.']],
  5: [['The best I have had.', 'Simply beautiful.', 'Exactly what I was looking for.', 'My third, and still delighted.'], ['Thank you!', 'It has not left the table since.', 'Everyone asks where it is from.', 'Worth every cent.', 'Arrived a day early, too.']],
};

// One connection with requests in flight up to the limit; answers come in the order of the requests.
class Pipeline {
  constructor() {
    this.waiting = [];
    this.received = '';
    this.socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => { this.received += text; this.take(); });
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => { if (this.waiting.length > 0) this.fail(new Error('the server closed the connection')); });
  }

  fail(error) { for (const { reject } of this.waiting.splice(0)) reject(error); }

  take() {
    for (;;) {
      const headEnd = this.received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.received.slice(0, headEnd))?.[1] ?? 0);
      if (this.received.length < headEnd + 4 + length) return;
      const status = Number(this.received.slice(9, 12));
      const body = Buffer.from(this.received.slice(headEnd + 4, headEnd + 4 + length), 'latin1').toString('utf8');
      this.received = this.received.slice(headEnd + 4 + length);
      const { path, resolve, reject } = this.waiting.shift();
      if (status === 201) resolve(JSON.parse(body));
      else reject(new Error(`POST ${path} answered ${status}: ${body}`));
    }
  }

  post(path, body) {
    const bytes = Buffer.from(JSON.stringify(body));
    this.socket.write(`POST ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    this.socket.write(bytes);
    return new Promise((resolve, reject) => this.waiting.push({ path, resolve, reject }));
  }
}

const pipelines = Array.from({ length: connections }, () => new Pipeline());
const total = 500 + shelves.reduce((sum, [, below_]) => sum + 1 + below_.length, 0) + 10000 + 50000 + 2000 + 2000 * 3;
let done = 0;
let shownAt = 0;

function showProgress(isLast = false) {
  if (!process.stderr.isTTY || (!isLast && Date.now() - shownAt < 100)) return;
  shownAt = Date.now();
  const part = Math.min(1, done / total);
  const width = 40;
  const full = Math.round(part * width);
  process.stderr.write(`\r  sample data [${'#'.repeat(full)}${'.'.repeat(width - full)}] ${String(Math.round(part * 100)).padStart(3)} %${isLast ? '\n' : ''}`);
}

// Creates all `rows` and returns the ids, in order; `make` is called in order too, so that the data is the same whatever the timing.
async function createAll(path, count, make, keep = (answer) => answer.id) {
  const results = new Array(count);
  let next = 0;
  const lane = async (pipeline) => {
    while (next < count) {
      const index = next++;
      results[index] = keep(await pipeline.post(path, make(index)));
      done++;
      showProgress();
    }
  };
  await Promise.all(pipelines.flatMap((pipeline) => Array.from({ length: inFlightMax }, () => lane(pipeline))));
  return results;
}

const slugOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');

const users = await createAll('/v1/users', 500, (index) => {
  const name = `${firstNames[index % 20]} ${lastNames[Math.floor(index / 20) % 20]}${index >= 400 ? ` ${['Jr.', 'II', 'III', 'IV', 'V'][Math.floor((index - 400) / 20)]}` : ''}`;
  const email = `${name.normalize('NFD').replace(/[^A-Za-z ]/g, '').trim().toLowerCase().replace(/ +/g, '.')}${index}@example.com`;
  return { name, email, joinedOn: timeBetween(opened, today).slice(0, 10) };
});

const parents = await createAll('/v1/categories', shelves.length, (index) => ({ slug: slugOf(shelves[index][0]), name: shelves[index][0] }));
const leaves = shelves.flatMap(([, names], shelf) => names.map((name) => ({ shelf, name })));
const categories = await createAll('/v1/categories', leaves.length, (index) => ({ slug: slugOf(leaves[index].name), name: leaves[index].name, parentId: parents[leaves[index].shelf] }));

const products = await createAll('/v1/products', 10000, (index) => {
  const leaf = below(leaves.length);
  const [, , adjectives, nouns, [low, high]] = shelves[leaves[leaf].shelf];
  const name = `${pick(adjectives)} ${pick(nouns)}${chance(0.7) ? pick(sizes) : ''}`;
  const isDiscontinued = chance(0.04);
  return {
    sku: `${slugOf(leaves[leaf].name).slice(0, 3).toUpperCase()}-${String(index + 1).padStart(5, '0')}`,
    name,
    description: chance(0.9) ? `${name} from ${pick(makers)}, ${pick(uses)}.` : null,
    price: (low + random() * random() * (high - low)).toFixed(2),
    stock: isDiscontinued || chance(0.06) ? 0 : below(250),
    tags: tags.filter(() => chance(0.15)),
    discontinued: isDiscontinued,
    categoryId: chance(0.98) ? categories[leaf] : null,
    createdAt: timeBetween(opened, today),
  };
}, ({ id, price }) => ({ id, price }));

await createAll('/v1/reviews', 50000, () => {
  const stars = pick([1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5]);
  const [firsts, seconds] = opinions[stars];
  return {
    // Some products are talked of far more than others.
    productId: products[Math.floor(random() ** 2 * products.length)].id,
    authorId: pick(users),
    stars,
    text: chance(0.7) ? `${pick(firsts)} ${pick(seconds)}` : pick(firsts),
    published: chance(0.93),
    createdAt: timeBetween(opened, today),
  };
}, () => null);

const purchases = await createAll('/v1/purchases', 2000, () => {
  const status = pick(['OPEN', 'PAID', 'SHIPPED', 'SHIPPED', 'SHIPPED', 'SHIPPED', 'CANCELLED']);
  const placedAt = timeBetween(opened, today);
  return { customerId: pick(users), status, placedAt, shippedAt: status === 'SHIPPED' ? new Date(Date.parse(placedAt) + (1 + below(5)) * dayMs).toISOString() : null };
});

await createAll('/v1/purchase-lines', purchases.length * 3, (index) => {
  // Three different products a purchase: the key is purchase and product.
  const product = products[(Math.floor(index / 3) * 37 + (index % 3) * 3331 + below(3000)) % products.length];
  return { purchaseId: purchases[Math.floor(index / 3)], productId: product.id, quantity: 1 + below(4), unitPrice: product.price };
}, () => null);

showProgress(true);
for (const pipeline of pipelines) pipeline.socket.destroy();
