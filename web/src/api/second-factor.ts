import { client, unwrap } from "./client";

const SECOND_FACTOR = "/api/v1/me/second_factor" as const;

/** Makes a secret for an authenticator app. Nothing asks for its codes until confirmSecondFactor. */
export function setUpSecondFactor() {
  return unwrap(client.POST(SECOND_FACTOR));
}

/** Turns it on with a first code of the app, and returns the recovery codes, which are shown only now. */
export async function confirmSecondFactor(code: string): Promise<string[]> {
  return (await unwrap(client.PUT(SECOND_FACTOR, { body: { code } }))).recovery_codes;
}

export async function removeSecondFactor(): Promise<void> {
  await unwrap(client.DELETE(SECOND_FACTOR));
}
