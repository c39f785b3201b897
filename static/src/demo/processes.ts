/** The types of the two example processes, as a page written for them declares them. */

export interface Person {
  firstName?: string;
  lastName?: string;
  email?: string;
  age?: number;
  income?: number;
}

export interface OnboardingView {
  form?: 'details' | 'review' | 'done' | 'rejected';
  client?: Person;
  creditCheck?: { status: 'running' | 'done'; rating?: string; score?: number };
  credit?: { rating?: string; score?: number };
  contract?: { status: string; for: string };
  reminder?: string;
  simulation?: { amount: number; months: number; text: string };
  outcome?: 'accepted' | 'rejected';
  reason?: string;
}

export interface CardView {
  form?: 'card' | 'ordered';
  card?: { holder?: string; theme?: string; designs?: string[]; ordered?: boolean; design?: string };
}

export interface Processes {
  onboarding: {
    start: Record<string, never>;
    view: OnboardingView;
    actions: {
      save: { client: Person };
      simulate: { loan: { amount: number; months: number } };
      confirm: { consent?: boolean };
    };
  };
  cardOrder: { start: { theme: string }; view: CardView; actions: { choose: { card: { design: string } } } };
}
