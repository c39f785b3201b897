import { startId } from '@stepwire/client';
import { useAction, useConnection, useInstance } from '@stepwire/client/react';

/** The visitor's account, which is started if there is none: a reload, or StrictMode, is the same start. */
export function Account() {
  const { instance, view, error } = useInstance('onboarding', { id: startId('account') });
  const { action, pending, fields, run } = useAction(instance, 'save');
  const { status } = useConnection();
  if (error) return <p role="alert">{error.message}</p>;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const name = new FormData(event.currentTarget).get('name');
        void run({ client: { name: String(name) } });
      }}
    >
      {status === 'lost' && <p role="alert">No connection. What you do is kept and sent later.</p>}
      <label>
        Name <input name="name" defaultValue={view.client?.name} aria-invalid={'client.name' in fields} />
      </label>
      <button disabled={!action || pending}>Save</button>
    </form>
  );
}
