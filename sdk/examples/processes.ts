/** The types of the processes of these examples, in short, as `stepwire-types` writes them for published processes. */
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
