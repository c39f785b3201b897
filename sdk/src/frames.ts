// The frames of the protocol as types, in the words of `docs/protocol.md`. Nothing here runs.

import type { ErrorDetails } from './error.js';

/** Any JSON object: instance data, views, payloads. */
export type JsonObject = Record<string, unknown>;

/** The state of an instance. */
export type InstanceStatus = 'created' | 'started' | 'onHold' | 'finished' | 'dismissed' | 'terminated' | 'expired' | 'failed';

/** An active element: where the token is. */
export interface ActiveNode {
  /** Key of the element instance: one visit of the node. */
  element: string;
  /** Id of the node in the diagram. */
  node: string;
  name: string;
  type: string;
  /** Key of the element of the embedded subprocess it is in. */
  scope?: string;
  /** Which iteration it is of an activity that runs more than once, from 1; `scope` is the whole then. */
  loopCounter?: number;
  /** Whether this receiver may only watch. */
  readOnly: boolean;
  assignee?: string;
  /** When it is due, RFC 3339. */
  dueAt?: string;
  /** When it reminded of itself last, RFC 3339. */
  remindedAt?: string;
  incident?: { code: string; message: string };
}

/** An action that this receiver may run now. */
export interface AvailableAction<Name extends string = string> {
  name: Name;
  element: string;
  node: string;
  order: number;
  type: string;
  required: 'mandatory' | 'optional';
  repeatable: boolean;
  parent?: string;
  /** Whether running it takes the token back to its node. */
  back: boolean;
  /** Data paths that are accepted, and those that must be sent. */
  keys: string[];
  requiredKeys: string[];
  /** JSON Schema of what it takes; only where `connect` was given `schemas: true`, and absent when it takes no data. */
  schema?: JsonObject;
  /** What the data hold at its keys: what a form begins with. Absent: nothing, or too much to be shown. */
  initial?: JsonObject;
  /** Id of the activity it starts, for an action of an ad-hoc subprocess. */
  activity?: string;
  /** Of an `uploadFile`: the largest file it takes, in bytes, and which media types (`image/*`); absent: any. */
  maxBytes?: number;
  types?: string[];
}

/** How a parent announces a child. */
export interface ChildInfo {
  instance: string;
  process: string;
  element?: string;
  status: InstanceStatus;
}

/** A user task that waits. */
export interface TaskInfo {
  instance: string;
  /** Key of the element instance, for `claim` and `run`. */
  element: string;
  process: string;
  /** Id of the node in the diagram. */
  node: string;
  name: string;
  /** Id of the lane it lies in. */
  lane: string | null;
  /** Whose it is; `null`: the first to claim it gets it. */
  assignee: string | null;
  /** Roles that may claim it; empty where the owners of the instance may. */
  candidates: string[];
  /** Since when it waits, RFC 3339. */
  createdAt: string;
  /** When it is due, RFC 3339, like `remindedAt`. */
  dueAt: string | null;
  /** When it reminded of itself last. */
  remindedAt: string | null;
  /** Which iteration it is of a user task that runs more than once, from 1. */
  loopCounter: number | null;
}

/** An instance in a list. */
export interface InstanceInfo {
  instance: string;
  process: string;
  status: InstanceStatus;
  businessKey: string | null;
  startedBy: string;
  /** RFC 3339, like `endedAt`. */
  createdAt: string;
  endedAt: string | null;
  /** Elements that are stuck until somebody helps. */
  incidents: number;
}

/** The step an instance is at. */
export interface Step {
  status: InstanceStatus;
  /** Of a finished instance: its last approval was a rejection, or something in it was skipped. */
  outcome?: 'rejected' | 'skipped';
  nodes: ActiveNode[];
  actions: AvailableAction[];
  /** How many more active elements and actions there are, beyond the 1,000 that are listed of each. */
  more?: { nodes: number; actions: number };
}

/** What a reply says; which members there are depends on the command. */
export interface CommandResult extends Partial<Step> {
  instance?: string;
  ignored?: string[];
  children?: ChildInfo[];
  /** After an anonymous start: the token for later connections. */
  token?: string;
  /** After `auth`: until when the new token is good. */
  expiresAt?: string | null;
}

/** What `client.publish` resolves to: who got what was published. */
export interface Published {
  /** The instances that got it: at most 100 are named. */
  instances: string[];
  /** The instances it started: at most 100 are named. */
  started: string[];
  /** How many got it beyond those that are named, or wait for it still; absent when none do. */
  moreInstances?: number;
  /** How many it started beyond those that are named; absent when none were. */
  moreStarted?: number;
  /** Until when it is kept for those who do not wait yet, RFC 3339; absent when it is not. */
  bufferedUntil?: string;
  /** Instances that it could not start, each with the reason. */
  refused?: { instance: string; message: string }[];
}

interface Numbered {
  channel: string;
  seq: number;
  prev: number;
  /** Id of the command that led to it. */
  cause?: string | null;
}

export type WelcomeFrame = {
  type: 'welcome';
  connection: string;
  user: string | null;
  log: string;
  expiresAt?: string | null;
  pingSeconds: number;
  maxMessageBytes?: number;
  /** How much one connection may send; 0 in either: as much as it likes. */
  rate?: { perSecond: number; burst: number };
};
/** The answer to a command: it is durable. */
export type ReplyFrame = { type: 'reply'; id: string; seq?: number; duplicate?: boolean; result: CommandResult };
/** Where a subscription stood, as `hello` tells it. */
export type ResumePoint = { instance: string; after: number };
export type ErrorFrame = { type: 'error'; id?: string; channel?: string } & ErrorDetails;
export type SnapshotFrame = Step & {
  type: 'snapshot';
  channel: string;
  seq: number;
  view: JsonObject;
  /** Action messages that can still be answered, each with the time until which it can, RFC 3339. */
  open?: { seq: number; body: JsonObject; node?: string; until?: string }[];
  process?: string;
  parent?: string | null;
  element?: string | null;
  children?: ChildInfo[];
};
export type DataFrame = Numbered & {
  type: 'data';
  instance: string;
  node: string;
  action: string;
  body: JsonObject;
  origin?: string | null;
};
export type ActionFrame = Numbered & {
  type: 'action';
  instance: string;
  node: string;
  body: JsonObject;
  /** Until when it stays open, RFC 3339, also after its instance has finished. */
  until?: string;
};
export type ViewFrame = Numbered & { type: 'view'; body: JsonObject };
export type ChildFrame = Numbered & { type: 'child'; child: ChildInfo };
export type ProgressFrame = Numbered & Step & { type: 'progress' };

/** A frame that moves an instance's cursor. */
export type NumberedFrame = DataFrame | ActionFrame | ViewFrame | ChildFrame | ProgressFrame;

/** Somebody who has a user task open. */
export interface PresentUser {
  user: string;
  /** Whether the user types. */
  typing: boolean;
  /** Since when it is open, RFC 3339. */
  since: string;
}
/** What is said beside an instance's log: a draft of this user's (`null`: there is none any more), and who has a task open. */
export type NoteFrame =
  | { type: 'drafted'; channel: string; element: string; action: string; data: JsonObject | null; savedAt?: string }
  | { type: 'present'; channel: string; element: string; users: PresentUser[] };

/** A frame of an instance's channel. */
export type InstanceFrame =
  | NoteFrame
  | NumberedFrame
  | SnapshotFrame
  | { type: 'live'; channel: string; seq: number }
  | { type: 'resync'; channel: string; reason: string };

export type ListSnapshotFrame = {
  type: 'snapshot';
  channel: string;
  seq: number;
  /** Whether there are older ones that are not listed. */
  more: boolean;
  tasks?: TaskInfo[];
  instances?: InstanceInfo[];
};
export type ListChangeFrame =
  | { type: 'tasks'; channel: string; seq: number; prev: number; set: TaskInfo[]; removed: string[] }
  | ({ type: 'instance'; channel: string; seq: number; prev: number } & InstanceInfo)
  | { type: 'changes'; channel: string; seq: number; prev: number; topics: Topic[] };

/** What the channel `changes` tells of. */
export type Topic = 'instances' | 'tasks' | 'incidents' | 'timers' | 'httpCalls' | 'definitions' | 'schedules' | 'users' | 'connections';

/** A frame of a list's channel: `tasks` or `process/ID`. */
export type ListFrame = ListSnapshotFrame | ListChangeFrame | { type: 'resync'; channel: string; reason: string };

/** Everything the server sends; frames of other types are ignored, as v1 only adds. */
export type ServerFrame =
  | WelcomeFrame
  | ReplyFrame
  | ErrorFrame
  | InstanceFrame
  | ListFrame
  | { type: 'schemas'; schemas: Record<string, JsonObject> }
  | { type: 'ping' }
  | { type: 'bye'; reason: string; reconnectAfterMs?: number };

/** Everything the client sends. */
export type ClientFrame = { type: string; id?: string | undefined } & JsonObject;
