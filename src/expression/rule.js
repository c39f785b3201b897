// Run in the sandbox of a business rule, after guards.js and before the rule: puts `input`, `output` and `now` into scope, where a
// rule cannot replace them, and gives `output` back.
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
  for (const [name, value] of [['input', input], ['output', output], ['now', now]]) defineProperty(realm, name, { value });
  return output;
})
