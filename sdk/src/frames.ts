// The frames of the protocol as types, with the names of `docs/protocol.md`. Contains no code.

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
  /** The number of this iteration, from 1, of an activity that runs more than once; `scope` is then the whole activity. */
  loopCounter?: number;
  /** Whether this receiver may only watch. */
  readOnly: boolean;
  assignee?: string;
  /** When it is due, RFC 3339. */
  dueAt?: string;
  /** When it last sent a reminder, RFC 3339. */
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
  /** Whether running it moves the token back to its node. */
  back: boolean;
  /** Accepted data paths, and those that are required. */
  keys: string[];
  requiredKeys: string[];
  /** JSON Schema of its data; only if `connect` was given `schemas: true`, and absent when it takes no data. */
  schema?: JsonObject;
  /** The current data at its keys, with which a form begins. Absent: no data, or too many to show. */
  initial?: JsonObject;
  /** Id of the activity it starts, for an action of an ad-hoc subprocess. */
  activity?: string;
  /** For `uploadFile`: the largest file in bytes, and the accepted media types (`image/*`); absent: any. */
  maxBytes?: number;
  types?: string[];
}

/** The announcement of a child by its parent. */
export interface ChildInfo {
  instance: string;
  process: string;
  element?: string;
  status: InstanceStatus;
}

/** A waiting user task. */
export interface TaskInfo {
  instance: string;
  /** Key of the element instance, for `claim` and `run`. */
  element: string;
  process: string;
  /** That of the instance. */
  businessKey: string | null;
  /** Id of the node in the diagram. */
  node: string;
  name: string;
  /** Id of its lane. */
  lane: string | null;
  /** The assigned user; `null`: the first user to claim it gets it. */
  assignee: string | null;
  /** Roles that may claim it; empty if the owners of the instance may. */
  candidates: string[];
  /** Since when it has been waiting, RFC 3339. */
  createdAt: string;
  /** When it is due, RFC 3339, like `remindedAt`. */
  dueAt: string | null;
  /** When it last sent a reminder. */
  remindedAt: string | null;
  /** The number of this iteration, from 1, of a user task that runs more than once. */
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
  /** Number of elements with an incident. */
  incidents: number;
}

/** The current step of an instance. */
export interface Step {
  status: InstanceStatus;
  /** For a finished instance: its last approval was a rejection, or something in it was skipped. */
  outcome?: 'rejected' | 'skipped';
  nodes: ActiveNode[];
  actions: AvailableAction[];
  /** How many more active elements and actions there are, beyond the 1,000 listed of each. */
  more?: { nodes: number; actions: number };
}

/** The content of a reply; its members depend on the command. */
export interface CommandResult extends Partial<Step> {
  instance?: string;
  ignored?: string[];
  children?: ChildInfo[];
  /** After an anonymous start: the token for later connections. */
  token?: string;
  /** After `auth`: when the new token expires. */
  expiresAt?: string | null;
}

/** The result of `client.publish`: the receivers of what was published. */
export interface Published {
  /** The instances that received it; at most 100 are named. */
  instances: string[];
  /** The instances it started: at most 100 are named. */
  started: string[];
  /** How many more received it or are still waiting for it; absent if none. */
  moreInstances?: number;
  /** How many more it started; absent if none. */
  moreStarted?: number;
  /** Until when it is kept for later receivers, RFC 3339; absent if it is not kept. */
  bufferedUntil?: string;
  /** Instances that could not be started, each with the reason. */
  refused?: { instance: string; message: string }[];
}

interface Numbered {
  channel: string;
  seq: number;
  prev: number;
  /** Id of the command that caused it. */
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
  /** The allowed rate of one connection; 0 in either: no limit. */
  rate?: { perSecond: number; burst: number };
};
/** The answer to a command: its effect is durable. */
export type ReplyFrame = { type: 'reply'; id: string; seq?: number; duplicate?: boolean; result: CommandResult };
/** The position of a subscription, as `hello` names it. */
export type ResumePoint = { instance: string; after: number };
export type ErrorFrame = { type: 'error'; id?: string; channel?: string } & ErrorDetails;
export type SnapshotFrame = Step & {
  type: 'snapshot';
  channel: string;
  seq: number;
  view: JsonObject;
  /** Action messages that can still be answered, each with the time until which it can, RFC 3339. */
  open?: { seq: number; body: unknown; node?: string; until?: string }[];
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
  /** Any JSON, as the modeller wrote it. */
  body: unknown;
  /** Until when it stays open, RFC 3339, even after its instance has finished. */
  until?: string;
};
export type ViewFrame = Numbered & { type: 'view'; body: JsonObject };
export type ChildFrame = Numbered & { type: 'child'; child: ChildInfo };
export type ProgressFrame = Numbered & Step & { type: 'progress' };

/** A frame that moves an instance's cursor. */
export type NumberedFrame = DataFrame | ActionFrame | ViewFrame | ChildFrame | ProgressFrame;

/** A user who has a user task open. */
export interface PresentUser {
  user: string;
  /** Whether the user is typing. */
  typing: boolean;
  /** Since when it has been open, RFC 3339. */
  since: string;
}
/** Notes outside of an instance's log: a draft of this user (`null`: it no longer exists), and who has a task open. */
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

/** The topics of the channel `changes`. */
export type Topic = 'instances' | 'tasks' | 'incidents' | 'timers' | 'httpCalls' | 'definitions' | 'schedules' | 'users' | 'connections';

/** A frame of a list's channel: `tasks` or `process/ID`. */
export type ListFrame = ListSnapshotFrame | ListChangeFrame | { type: 'resync'; channel: string; reason: string };

/** Everything the server sends; frames of other types are ignored, as v1 may add some. */
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
