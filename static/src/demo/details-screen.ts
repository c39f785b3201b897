import type { FieldError } from '@stepwire/client';
import { h } from '../dom.js';
import { icon } from '../icons.js';
import { Field, setAt } from './fields.js';
import { running, Trouble } from './run-button.js';
import { screen, type Screen, type Stage } from './screen.js';

/** The form of the `details` task. With `back` it is shown at a later step, and saving moves the process back here. */
export function detailsScreen(stage: Stage, back: boolean): Screen {
  const instance = stage.visit.onboarding!;
  const action = instance.actions.get().find(({ name }) => name === 'save');
  const fields = (action?.keys ?? []).map((path) => new Field(path, action!.requiredKeys.includes(path)));
  const trouble = new Trouble();
  const label = back ? 'Save changes' : 'Continue';
  const save = h('button', { class: 'button primary', type: 'submit', 'data-testid': 'action-save' }, label, icon('arrow', 18));
  const cancel = back && h('button', { class: 'button', type: 'button', onclick: () => stage.edit(false) }, 'Cancel');

  const complain = (complaints: Record<string, FieldError>) => {
    fields.forEach((field) => field.complain(complaints[field.path]));
    const wrong = fields.find(({ path }) => path in complaints);
    wrong?.focus();
    return wrong !== undefined;
  };
  const submit = async () => {
    const data = {} as Record<string, unknown>;
    fields.forEach(({ path, value }) => value !== undefined && setAt(data, path, value));
    await instance.run('save', data as { client: object }, back ? { element: action?.element } : {});
    fields.forEach((field) => field.release());
    if (back) stage.edit(false);
  };
  const form = h(
    'form',
    { novalidate: true, autocomplete: 'on' },
    h('div', { class: 'form-grid' }, ...fields.map(({ root }) => root)),
    trouble.root,
    h('div', { class: 'actions' }, save, cancel),
  );
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    void running(save, trouble, submit, complain);
  });
  const update = () => fields.forEach((field) => field.follow(instance.view.get()));
  update();
  const title = back ? 'Change your details' : 'Tell us about yourself';
  const lead = back
    ? 'Saving takes the process back to this step; the credit check runs again with the new data.'
    : 'What you type is checked by the process on the server. Open a second tab: both stay in step.';
  return { root: screen(back ? 'edit' : 'details', title, lead, form), update };
}
