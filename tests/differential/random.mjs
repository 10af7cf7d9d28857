// random.mjs - random choices that a seed determines (mulberry32): the same seed makes the same contract and the same operations.
export class Random {
  constructor(seed) { this.state = seed >>> 0; }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(n) { return Math.floor(this.next() * n); }
  between(min, max) { return min + this.below(max - min + 1); }
  chance(percent) { return this.next() * 100 < percent; }
  pick(list) { return list[this.below(list.length)]; }

  // Some of a list, in its order.
  some(list, percent) { return list.filter(() => this.chance(percent)); }

  // `choices`: [weight, value] pairs.
  weighted(choices) {
    let at = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) if ((at -= weight) < 0) return value;
    return choices.at(-1)[1];
  }
}
