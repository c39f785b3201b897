// Runs in the sandbox of a business rule, after guards.js and before the rule: puts `input`, `output`, `now` and `BpmnError` into
// scope, where a rule cannot replace them. Returns `output`, and a function that gives code and message of a thrown BpmnError.
(function (realm, input, now) {
  'use strict';
  const { create, defineProperty, hasOwn } = Object;
  const { isArray } = Array;
  const isObject = (value) => typeof value === 'object' && value !== null;

  const write = (place, name, value) =>
    defineProperty(place, name, { value, writable: true, enumerable: true, configurable: true });

  // Inherited, so that it is no member of the result and a member may have its name.
  const put = function put(key, value) {
    const names = `${key}`.split('.');
    if (names.some((name) => name === '' || /[[\]]/.test(name))) {
      throw new RangeError(`expected a dotted path of members such as client.age, but put got ${key}`);
    }
    const last = names.pop();
    let place = output;
    for (const name of names) {
      if (!hasOwn(place, name) || !isObject(place[name]) || isArray(place[name])) write(place, name, {});
      place = place[name];
    }
    write(place, last, value);
  };
  const output = create(defineProperty({}, 'put', { value: put, writable: true }));

  // An error of BPMN is one that was made here, whatever a script makes look like it.
  let thrown;
  class BpmnError extends Error {
    #code;
    #text;

    constructor(code, message = '') {
      if (typeof code !== 'string' || code === '') {
        throw new TypeError('expected the code of a BpmnError to be a text that is not empty: new BpmnError("declined", "no credit")');
      }
      const text = `${message}`;
      super(text);
      this.#code = code;
      this.#text = text;
    }

    get code() {
      return this.#code;
    }

    static {
      thrown = (error) => (isObject(error) && #code in error ? [error.#code, error.#text] : undefined);
    }
  }
  defineProperty(BpmnError.prototype, 'name', { value: 'BpmnError' });
  const scope = [['input', input], ['output', output], ['now', now], ['BpmnError', BpmnError]];
  for (const [name, value] of scope) defineProperty(realm, name, { value });
  return [output, thrown];
})
