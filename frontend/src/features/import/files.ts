/** The most bytes a file may have (the bridge's limit); larger ones are refused before they are read. */
export const maxBytes = 32 << 20;

/** Whether something dragged brings files. */
export function hasFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") ?? false;
}

/** Whether a JSON text is an exported dashboard rather than rows. */
export function isDashboard(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) && "widgets" in value;
  } catch {
    return false;
  }
}
