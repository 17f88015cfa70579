/** Of all packages together; package.json says the same, and a test holds it. */
export const VERSION = "0.1.0";
