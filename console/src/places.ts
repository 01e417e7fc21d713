// The pages, in the order of the rail; g and then the key goes there.
export const PAGES = [
  { name: "Overview", href: "/", key: "o" },
  { name: "Requests", href: "/requests", key: "r" },
  { name: "Rollouts", href: "/rollouts", key: "l" },
  { name: "Break it", href: "/break", key: "b" },
] as const;
