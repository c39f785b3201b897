/** One action as three forms that read the same JSON Schema: `<stepwire-form>`, react-jsonschema-form and JSON Forms. */
import type { ControlElement, JsonSchema, VerticalLayout } from '@jsonforms/core';
import { JsonForms } from '@jsonforms/react';
import { vanillaCells, vanillaRenderers } from '@jsonforms/vanilla-renderers';
import Form from '@rjsf/core';
import type { ErrorSchema, RJSFSchema, UiSchema } from '@rjsf/utils';
import validator from '@rjsf/validator-ajv8';
import { type AvailableAction, connect, type FieldErrors, type Instance, type JsonObject, startId } from '@stepwire/client';
import type { StepwireForm } from '@stepwire/client/forms';
import '@stepwire/client/forms';
import { StepwireProvider, useAction, useInstance } from '@stepwire/client/react';
import { localTokenStore, visitor } from '@stepwire/client/visitor';
import { useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import '../../style.css';
import './forms.css';

const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/v1/ws';
const client = connect({ url, visitor: visitor(localTokenStore('forms')), schemas: true });

interface FormProps {
  instance: Instance;
  action: AvailableAction;
}

/** Native inputs, without a library. */
function Native({ instance, action }: FormProps) {
  const form = useRef<HTMLElement>(null);
  useEffect(() => {
    Object.assign(form.current as StepwireForm, { instance, action: action.name });
  }, [instance, action.name]);
  return <stepwire-form ref={form} />;
}

/** The errors of the server in the format of react-jsonschema-form: an object of the data's shape. */
function errorSchema(fields: FieldErrors): ErrorSchema {
  const errors: JsonObject = {};
  for (const [path, { message }] of Object.entries(fields)) {
    let at = errors;
    for (const name of path.split('.')) at = (at[name] ??= {}) as JsonObject;
    at.__errors = [message];
  }
  return errors as ErrorSchema;
}

/** The order of an action's keys, for react-jsonschema-form: members of objects have none. */
function uiSchema(keys: string[]): UiSchema {
  const root: UiSchema = {};
  for (const key of keys) {
    let at = root;
    for (const name of key.split('.')) {
      at['ui:order'] = [...new Set([...((at['ui:order'] as string[]) ?? []), name])];
      at = (at[name] ??= {}) as UiSchema;
    }
  }
  return root;
}

function JsonSchemaForm({ instance, action }: FormProps) {
  const { run, pending, fields, initial } = useAction(instance, action.name);
  const [data, setData] = useState<JsonObject>(initial);
  return (
    <Form
      schema={action.schema as RJSFSchema}
      uiSchema={uiSchema(action.keys)}
      formData={data}
      validator={validator}
      extraErrors={errorSchema(fields)}
      disabled={pending}
      showErrorList={false}
      // Without a listener it also logs the errors that it shows at the inputs.
      onError={() => undefined}
      onChange={({ formData }) => setData(formData as JsonObject)}
      onSubmit={({ formData }) => void run(formData as JsonObject)}
    />
  );
}

/** A control for each key, for JSON Forms. */
const controls = (keys: string[]): VerticalLayout => ({
  type: 'VerticalLayout',
  elements: keys.map((key): ControlElement => ({ type: 'Control', scope: `#/properties/${key.replaceAll('.', '/properties/')}` })),
});

/** The objects around the keys, so that a missing value is reported at its control and not at the whole form. */
function withObjects(keys: string[], initial: JsonObject): JsonObject {
  const data = structuredClone(initial);
  for (const key of keys) {
    const parents = key.split('.').slice(0, -1);
    parents.reduce((at, name) => (at[name] ??= {}) as JsonObject, data);
  }
  return data;
}

function JsonFormsForm({ instance, action }: FormProps) {
  const { run, pending, fields, initial } = useAction(instance, action.name);
  const [data, setData] = useState<JsonObject>(() => withObjects(action.keys, initial));
  const [wrong, setWrong] = useState(0);
  const [tried, setTried] = useState(false);
  // The errors of the server in the format of Ajv.
  const additionalErrors = Object.entries(fields).map(([path, { code, message, params }]) => ({
    instancePath: `/${path.replaceAll('.', '/')}`,
    keyword: code,
    message,
    params,
    schemaPath: '',
  }));
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (wrong === 0) void run(data);
      }}
    >
      <JsonForms
        schema={action.schema as JsonSchema}
        uischema={controls(action.keys)}
        data={data}
        renderers={vanillaRenderers}
        cells={vanillaCells}
        additionalErrors={additionalErrors}
        validationMode={tried ? 'ValidateAndShow' : 'ValidateAndHide'}
        onChange={({ data: next, errors = [] }) => {
          setData(next as JsonObject);
          setWrong(errors.length);
        }}
      />
      <button disabled={pending}>Send</button>
    </form>
  );
}

function Page() {
  const { instance, view, actions, error } = useInstance('trip', { id: startId('forms-trip') });
  const action = actions.find(({ back }) => !back);
  if (error) return <p role="alert">{error.message}</p>;
  if (!instance || !action?.schema) return <h1>{view.sent ? 'Sent' : '…'}</h1>;
  const props = { instance: instance as unknown as Instance, action: action as AvailableAction };
  // Each action has its own form.
  return (
    <>
      <h1>{action.name}</h1>
      <div className="forms" key={action.name}>
        <section aria-label="Native">
          <h2>Native</h2>
          <Native {...props} />
        </section>
        <section aria-label="react-jsonschema-form">
          <h2>react-jsonschema-form</h2>
          <JsonSchemaForm {...props} />
        </section>
        <section aria-label="JSON Forms">
          <h2>JSON Forms</h2>
          <JsonFormsForm {...props} />
        </section>
      </div>
    </>
  );
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'stepwire-form': { ref: React.Ref<HTMLElement> };
    }
  }
}

createRoot(document.querySelector('main')!).render(
  <StepwireProvider client={client}>
    <Page />
  </StepwireProvider>,
);
