// Run in every sandbox before the condition or rule. Takes away what is not deterministic or evaluates text, and bounds the native
// loops that the engine cannot interrupt: without a bound, one call on a sparse array or on two long texts runs for hours. Gives
// what the sandbox does with values, safe from what a script changes later.
(() => {
  'use strict';
  const realm = globalThis;
  const { apply } = Reflect;
  const { freeze, values } = Object;
  const text = String;
  const isArray = Array.isArray;
  const isRegExp = (value) => value instanceof RegExp;
  const LONGEST_ARRAY = 100_000;
  const MOST_CHARACTER_PAIRS = 50_000_000;
  let characterPairs = 0;

  const replaceMethod = (owner, name, guarded) => {
    const native = owner[name];
    const value = { [name](...args) { return guarded(native, this, args); } }[name];
    Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
  };

  for (const name of ['concat', 'join', 'reverse', 'shift', 'slice', 'sort', 'splice', 'toLocaleString', 'unshift']) {
    replaceMethod(Array.prototype, name, (native, self, args) => {
      if (!isArray(self)) throw new TypeError(`expected an array to call ${name} on`);
      for (let i = -1; i < args.length; i++) {
        const array = i < 0 ? self : args[i];
        if (isArray(array) && array.length > LONGEST_ARRAY) {
          throw new RangeError(`expected at most ${LONGEST_ARRAY} items for ${name}, but the array has ${array.length}`);
        }
      }
      return apply(native, self, args);
    });
  }

  for (const name of ['includes', 'indexOf', 'lastIndexOf', 'replace', 'replaceAll', 'split']) {
    replaceMethod(String.prototype, name, (native, self, args) => {
      const text = `${self}`;
      if (args.length > 0 && args[0] !== undefined && !isRegExp(args[0])) {
        args[0] = `${args[0]}`;
        characterPairs += text.length * args[0].length;
        if (characterPairs > MOST_CHARACTER_PAIRS) {
          throw new RangeError(`expected shorter or fewer texts to search, but ${name} got ${text.length} and ${args[0].length} characters`);
        }
      }
      return apply(native, text, args);
    });
  }

  for (const name of ['copyWithin', 'flat', 'flatMap']) delete Array.prototype[name];
  delete String.raw;
  delete Math.random;
  for (const type of [function () {}, function* () {}, async function () {}, async function* () {}]) {
    delete Object.getPrototypeOf(type).constructor;
  }
  for (const name of ['eval', 'Function', 'Reflect', 'globalThis', 'queueMicrotask', 'Iterator']) delete realm[name];

  const isObject = (value) => typeof value === 'object' && value !== null;
  const LEAST = -(2n ** 63n);
  const GREATEST = 2n ** 64n - 1n;
  return {
    // A change of the data is an error that says so, in place of one that nobody sees.
    freezeAll(data) {
      const found = [data];
      while (found.length > 0) {
        const value = found.pop();
        if (!isObject(value)) continue;
        freeze(value);
        for (const member of values(value)) if (isObject(member)) found.push(member);
      }
    },
    // A larger one is not made text: that takes long, and the engine cannot interrupt it.
    digits: (whole) => (whole >= LEAST && whole <= GREATEST ? text(whole) : null),
  };
})();
