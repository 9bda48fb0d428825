const refuse = (): never => {
  throw new TypeError('settings are fixed once they are loaded');
};

/** A map that cannot be changed: `Object.freeze` alone leaves its entries open. */
export function frozenMap<K, V>(entries: Iterable<readonly [K, V]>): ReadonlyMap<K, V> {
  const map = new Map(entries);
  for (const value of map.values()) deepFreeze(value);
  return Object.freeze(Object.assign(map, { set: refuse, delete: refuse, clear: refuse }));
}

/** Freezes plain values all the way down, and returns them. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
