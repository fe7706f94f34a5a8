import { BackendError } from "../backend/backend";
import type { Fault } from "../backend/types";

/** The words for a failed call, whatever was thrown. */
export function faultOf(error: unknown): Fault {
  if (error instanceof BackendError) return error.fault;
  return { kind: "internal", message: "Something went wrong in the program.", hint: "Try again; nothing was changed." };
}
