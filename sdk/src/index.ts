/**
 * The Stepwire client: one websocket, process instances as stores, commands that survive a lost connection. Start with {@link
 * connect}.
 */
export { type Client, connect } from './client.js';
export {
  type ClientErrorCode,
  type ErrorCode,
  type ErrorDetails,
  type FieldError,
  type FieldErrors,
  StepwireError,
} from './error.js';
export type {
  ActiveNode,
  AvailableAction,
  ChildInfo,
  ClientFrame,
  CommandResult,
  InstanceInfo,
  InstanceStatus,
  JsonObject,
  NoteFrame,
  PresentUser,
  Published,
  ReplyFrame,
  Step,
  TaskInfo,
} from './frames.js';
export { type ActionMessage, type Instance, type InstanceCommands, onChild, type RunResult } from './instance.js';
export type {
  ActionsOf,
  AnyProcesses,
  ConnectionStatus,
  ConnectOptions,
  Direction,
  FrameLog,
  ProcessShape,
  Publication,
  RunOptions,
  StartOf,
  StartOptions,
  ViewOf,
  WaitOptions,
} from './options.js';
export type { Platform, Socket, WebSocketConstructor } from './platform.js';
export { select, type Store } from './store.js';
export { forgetStartId, startId } from './start-id.js';
