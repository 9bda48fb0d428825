type Path = readonly (string | number)[];

/** The values of a description that are neither maps nor lists, each with its path. */
export function leavesOf(part: unknown, path: Path): readonly { readonly path: Path; readonly value: unknown }[] {
  if (typeof part !== 'object' || part === null) return [{ path, value: part }];
  return Array.isArray(part)
    ? part.flatMap((value, index) => leavesOf(value, [...path, index]))
    : Object.entries(part).flatMap(([name, value]) => leavesOf(value, [...path, name]));
}
