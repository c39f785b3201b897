// Runs in every sandbox before the condition or rule. Removes what is not deterministic or evaluates text, and bounds the native
// loops that the engine cannot interrupt: without a bound, one call on a sparse array or on two long texts runs for hours. Returns
// the functions by which the sandbox handles values, safe from later changes by the script. Reading a text as a number keeps its
// digits or is an error. `native` has the functions implemented outside the engine: `isRounded(text)` and `parse(text)`.
((native) => {
  'use strict';
  const realm = globalThis;
  const { apply } = Reflect;
  const { freeze, values, keys, defineProperty, getOwnPropertyNames } = Object;
  const text = String;
  const isArray = Array.isArray;
  const isRegExp = (value) => value instanceof RegExp;
  const LONGEST_ARRAY = 100_000;
  const MOST_CHARACTER_PAIRS = 50_000_000;
  let characterPairs = 0;

  const replaceMethod = (owner, name, guarded) => {
    const native = owner[name];
    const value = { [name](...args) { return guarded(native, this, args); } }[name];
    defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
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
  const { BigInt, Symbol } = realm;
  const NativeNumber = realm.Number;
  const { floor, abs } = Math;
  const { exec } = RegExp.prototype;
  const NUMERAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;
  // Numbers of fewer characters, without exponent, are never rounded.
  const SAFE_LENGTH = 15;

  const losesDigits = (numeral) => {
    const shown = numeral.length > 40 ? `${numeral.slice(0, 40)}…` : numeral;
    return new RangeError(`expected a number that JavaScript holds exactly, but ${shown} would lose digits; `
      + 'keep it as a text, or read a whole number by BigInt(text)');
  };

  // As the operators of JavaScript make a value primitive.
  const primitive = (value) => {
    const isPrimitive = (found) => !isObject(found) && typeof found !== 'function';
    if (isPrimitive(value)) return value;
    const own = value[Symbol.toPrimitive];
    const ways = own === undefined || own === null ? [value.valueOf, value.toString] : [own];
    for (const way of ways) {
      const found = typeof way === 'function' ? apply(way, value, ['number']) : value;
      if (isPrimitive(found)) return found;
    }
    throw new TypeError('toPrimitive');
  };

  const toNumber = (value) => {
    const found = primitive(value);
    const number = NativeNumber(found);
    const mayLose = typeof found === 'string' && number === number && (found.length > SAFE_LENGTH || /e/i.test(found));
    if (mayLose && native.isRounded(found)) throw losesDigits(found);
    return number;
  };

  const Number = function Number(value) {
    const number = arguments.length === 0 ? 0 : toNumber(value);
    return new.target ? new NativeNumber(number) : number;
  };
  Object.defineProperties(Number, Object.getOwnPropertyDescriptors(NativeNumber));
  defineProperty(Number.prototype, 'constructor', { value: Number, writable: true, configurable: true });
  defineProperty(realm, 'Number', { value: Number, writable: true, configurable: true });
  replaceMethod(realm, 'parseFloat', (read, self, [value]) => {
    const found = `${value}`;
    const number = read(found);
    const numeral = number === number && typeof value !== 'number' && apply(exec, NUMERAL, [found]);
    if (numeral && native.isRounded(numeral[0])) throw losesDigits(numeral[0]);
    return number;
  });
  replaceMethod(realm, 'parseInt', (read, self, [value, radix]) => {
    const number = read(value, radix);
    if (typeof value !== 'number' && abs(number) > NativeNumber.MAX_SAFE_INTEGER) throw losesDigits(`${value}`);
    return number;
  });
  for (const name of ['parseFloat', 'parseInt']) {
    defineProperty(Number, name, { value: realm[name], writable: true, configurable: true });
  }

  const revive = (holder, name, reviver) => {
    const value = holder[name];
    if (isObject(value)) {
      for (const key of keys(value)) {
        const revived = revive(value, key, reviver);
        if (revived === undefined) delete value[key];
        else defineProperty(value, key, { value: revived, writable: true, enumerable: true, configurable: true });
      }
    }
    return apply(reviver, holder, [name, value]);
  };
  replaceMethod(JSON, 'parse', (read, self, [json, reviver]) => {
    const value = native.parse(`${json}`);
    return typeof reviver === 'function' ? revive({ '': value }, '', reviver) : value;
  });

  // How a BigInt stands to a number, exactly: the engine's operators are wrong where both are negative.
  const standing = (whole, number) => {
    if (number !== number || number === Infinity || number === -Infinity) return -number;
    const floored = BigInt(floor(number));
    if (whole === floored) return number > floor(number) ? -1 : 0;
    return whole < floored ? -1 : 1;
  };
  const ordering = (fits, native) => (left, right) => {
    const [first, second] = [primitive(left), primitive(right)];
    if (typeof first === 'bigint' && typeof second === 'number') return fits(standing(first, second));
    if (typeof first === 'number' && typeof second === 'bigint') return fits(-standing(second, first));
    return native(first, second);
  };
  // What arithmetic makes of a value: a number or a BigInt.
  const operand = (value) => {
    const found = primitive(value);
    return typeof found === 'string' ? toNumber(found) : found;
  };
  // When a script first uses it: the guards of 40 functions take longer than most scripts.
  const math = Math;
  const mathNames = getOwnPropertyNames(math);
  const setMath = (value) => defineProperty(realm, 'Math', { value, writable: true, configurable: true });
  const guardMath = () => {
    setMath(math);
    for (let i = 0; i < mathNames.length; i++) {
      const name = mathNames[i];
      if (typeof math[name] === 'function') {
        replaceMethod(math, name, (native, self, args) => {
          for (let i = 0; i < args.length; i++) args[i] = operand(args[i]);
          return apply(native, self, args);
        });
      }
    }
    return math;
  };
  defineProperty(realm, 'Math', { get: guardMath, set: setMath, enumerable: false, configurable: true });
  const operators = {
    Less: ordering((sign) => sign < 0, (left, right) => left < right),
    AtMost: ordering((sign) => sign <= 0, (left, right) => left <= right),
    More: ordering((sign) => sign > 0, (left, right) => left > right),
    AtLeast: ordering((sign) => sign >= 0, (left, right) => left >= right),
    // Of a unary plus, which refuses a BigInt.
    Number: (value) => {
      const found = primitive(value);
      return typeof found === 'bigint' ? +found : toNumber(found);
    },
    Negative: (value) => -operand(value),
    Minus: (left, right) => operand(left) - operand(right),
    Times: (left, right) => operand(left) * operand(right),
    Over: (left, right) => operand(left) / operand(right),
    Modulo: (left, right) => operand(left) % operand(right),
    Power: (left, right) => operand(left) ** operand(right),
  };
  for (const name of keys(operators)) defineProperty(realm, `$stepwire${name}`, { value: operators[name] });
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
})
