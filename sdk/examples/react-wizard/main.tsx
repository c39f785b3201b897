/** The same wizard with React: own inputs, and hooks for the rest. */
import { connect, startId } from '@stepwire/client';
import { StepwireProvider, useAction, useConnection, useInstance } from '@stepwire/client/react';
import { localTokenStore, visitor } from '@stepwire/client/visitor';
import { type FormEvent, type ReactNode, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { Processes } from '../processes.js';

const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/v1/ws';
const client = connect<Processes>({ url, visitor: visitor(localTokenStore('react-trip')) });

type Trip = ReturnType<typeof useInstance<'trip'>>['instance'];
interface StepProps {
  instance: Trip;
  done: () => void;
}

function Wizard() {
  const { instance, view, actions, error } = useInstance('trip', { id: startId('react-trip') });
  const { status } = useConnection();
  const [chosen, setChosen] = useState<string>();
  const current = actions.find(({ name }) => name === chosen) ?? actions.find(({ back }) => !back);
  const back = actions.filter((action) => action.back && action !== current);
  const step = { instance, done: () => setChosen(undefined) };
  if (error) return <p role="alert">{error.message}</p>;
  return (
    <>
      {status === 'lost' && <p role="alert">No connection. What you send is sent later.</p>}
      <nav>
        {back.map(({ name }) => (
          <button key={name} onClick={() => setChosen(name)}>
            ← {name === 'saveTraveller' ? 'Who travels' : 'Where to'}
          </button>
        ))}
      </nav>
      {current?.name === 'saveTraveller' && <Traveller {...step} before={view.traveller} />}
      {current?.name === 'saveTrip' && <Where {...step} before={view.trip} />}
      {current?.name === 'confirm' && <Review {...step} view={view} />}
      {!current && view.sent && <h1>{view.decision ? (view.decision.granted ? 'Granted' : 'Not granted') : 'Sent'}</h1>}
    </>
  );
}

/** A labelled input with what the server found wrong with it. */
function Field({ label, fault, children }: { label: string; fault: { message: string } | undefined; children: ReactNode }) {
  return (
    <label>
      {label} {children} {fault && <span role="alert">{fault.message}</span>}
    </label>
  );
}

const submitted = (send: (form: FormData) => unknown) => (event: FormEvent<HTMLFormElement>) => {
  event.preventDefault();
  send(new FormData(event.currentTarget));
};

function Traveller({ instance, done, before }: StepProps & { before: Processes['trip']['view']['traveller'] }) {
  const { run, pending, fields } = useAction(instance, 'saveTraveller');
  const send = async (form: FormData) => {
    const traveller = { name: String(form.get('name')), email: String(form.get('email')) };
    // The name is there at once; what the server makes of it takes its place.
    if (await run({ traveller }, { optimistic: { traveller } })) done();
  };
  return (
    <form onSubmit={submitted(send)}>
      <h1>Who travels</h1>
      <Field label="Name" fault={fields['traveller.name']} children={<input name="name" defaultValue={before?.name} />} />
      <Field label="E-mail" fault={fields['traveller.email']} children={<input name="email" defaultValue={before?.email} />} />
      <button disabled={pending}>Next</button>
    </form>
  );
}

function Where({ instance, done, before }: StepProps & { before: Processes['trip']['view']['trip'] }) {
  const { run, pending, fields } = useAction(instance, 'saveTrip');
  const send = async (form: FormData) => {
    const trip = { city: String(form.get('city')), from: String(form.get('from')), nights: Number(form.get('nights')) };
    if (await run({ trip })) done();
  };
  return (
    <form onSubmit={submitted(send)}>
      <h1>Where to</h1>
      <Field label="City" fault={fields['trip.city']}>
        <select name="city" defaultValue={before?.city} children={['Lisbon', 'Oslo', 'Vienna'].map((city) => <option key={city}>{city}</option>)} />
      </Field>
      <Field label="First day" fault={fields['trip.from']} children={<input name="from" type="date" defaultValue={before?.from} />} />
      <Field label="Nights" fault={fields['trip.nights']} children={<input name="nights" type="number" defaultValue={before?.nights} />} />
      <button disabled={pending}>Next</button>
    </form>
  );
}

function Review({ instance, done, view: { traveller, trip } }: StepProps & { view: Processes['trip']['view'] }) {
  const { run, pending } = useAction(instance, 'confirm');
  return (
    <form onSubmit={submitted(async () => (await run({ correct: true })) && done())}>
      <h1>Review</h1>
      <p>
        {traveller?.name}, {trip?.nights} nights in {trip?.city}
      </p>
      <button disabled={pending}>All of this is correct</button>
    </form>
  );
}

createRoot(document.querySelector('main')!).render(
  <StrictMode>
    <StepwireProvider client={client}>
      <Wizard />
    </StepwireProvider>
  </StrictMode>,
);
