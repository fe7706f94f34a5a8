/** Bounds of a link's password, in bytes of UTF-8 (rule P7). */
const least = 6;
const most = 1024;

/** Letters and digits that nobody takes for one another, read from a screen or over the telephone. */
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
const groups = 4;
const each = 4;

/** A password of 16 characters in groups of four: 79 bits. `random` fills the given bytes from a secure source. */
export function generatePassword(
  random: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => crypto.getRandomValues(bytes),
): string {
  const fair = 256 - (256 % alphabet.length); // bytes from here on would favour the first letters
  const bytes = new Uint8Array(32);
  let letters = "";
  while (letters.length < groups * each) {
    random(bytes);
    for (const byte of bytes) {
      if (byte < fair && letters.length < groups * each) letters += alphabet.charAt(byte % alphabet.length);
    }
  }
  return Array.from({ length: groups }, (_, i) => letters.slice(i * each, (i + 1) * each)).join("-");
}

/** A password in the one form in which it is hashed, whichever keyboard it was typed on. */
export function normalise(password: string): string {
  return password.normalize("NFC");
}

/** What is wrong with a password, or nothing. How strong it is stays its owner's business. */
export function checkPassword(password: string): string {
  const bytes = new TextEncoder().encode(normalise(password)).length;
  if (bytes < least) return `A password has at least ${String(least)} characters.`;
  if (bytes > most) return `This is too long: a password has at most ${String(most)} bytes, this one ${String(bytes)}.`;
  return "";
}
