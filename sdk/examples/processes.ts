/** As the server exports it: GET /v1/definitions/onboarding/1/types.d.ts, and that of trip. */
export interface Processes {
  onboarding: {
    start: { locale?: string };
    view: { form?: 'details' | 'done'; client?: { name?: string } };
    actions: { save: { client: { name: string } } };
  };
  trip: {
    start: Record<string, never>;
    view: {
      traveller?: { name: string; email: string };
      trip?: { city: string; from: string; nights: number };
      sent?: boolean;
      decision?: { granted: boolean; comment?: string | null };
    };
    actions: {
      saveTraveller: { traveller: { name: string; email: string } };
      saveTrip: { trip: { city: string; from: string; nights: number } };
      confirm: { correct: boolean };
      decide: { decision: { granted: boolean; comment?: string } };
    };
  };
}
