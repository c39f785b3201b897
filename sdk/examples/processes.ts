/** As the server exports it: GET /v1/definitions/onboarding/1/types.d.ts */
export interface Processes {
  onboarding: {
    start: { locale?: string };
    view: { form?: 'details' | 'done'; client?: { name?: string } };
    actions: { save: { client: { name: string } } };
  };
}
