/** The BPMN reader and writer of this page, with corrections of errors in the library that would lose content of a file. */

interface Property {
  name: string;
  isAttr?: boolean;
  xml?: { serialize: 'property' };
}
interface Known {
  registry: { typeMap: Record<string, { properties: Property[] } | undefined> };
}

/**
 * The script of a global script task is an element, as in a script task; the library's schema has it as an attribute, and drops the
 * element. The conditions and events of iterations are written with the names of types instead of `condition` and `event`.
 */
export function mended<T>(moddle: T): T {
  const { registry } = moddle as unknown as Known;
  const change = (type: string, name: string, how: Partial<Property>) => {
    const found = registry.typeMap[type]?.properties.find((one) => one.name === name);
    if (found) Object.assign(found, how);
  };
  change('bpmn:GlobalScriptTask', 'bpmn:script', { isAttr: false });
  for (const name of ['bpmn:condition', 'bpmn:event'])
    change('bpmn:ComplexBehaviorDefinition', name, { xml: { serialize: 'property' } });
  return moddle;
}
