// Run in every sandbox before the condition. Takes away what is not deterministic or evaluates text, and bounds the native
// loops that the engine cannot interrupt: without a bound, one call on a sparse array or on two long texts runs for hours.
(() => {
  'use strict';
  const realm = globalThis;
  const { apply } = Reflect;
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
})();
