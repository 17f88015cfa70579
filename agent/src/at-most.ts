/** Lets so many works be done at once; the others wait their turn. One that fails holds up no other. */
export function atMost(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let atWork = 0;
  return async (work) => {
    if (atWork >= places)
      await new Promise<void>((resolve) => waiting.push(resolve)); // who leaves hands its place on
    else atWork += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) atWork -= 1;
      else next();
    }
  };
}
