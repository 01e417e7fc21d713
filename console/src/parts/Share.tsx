// A share with what it is made of: its interval and its n. Of few observations, the fraction alone.
import { NOTHING, count, percent } from "../format";

export const FEW = 20;

interface ShareProps {
  good: number;
  n: number;
  low: number | null;
  high: number | null;
}

export function Share({ good, n, low, high }: ShareProps) {
  if (!n) return <span className="figure muted">{NOTHING}</span>;
  if (n < FEW)
    return (
      <span className="figure muted">
        {count(good)} of {count(n)}
      </span>
    );
  return (
    <span className="figure">
      {percent(good / n, 2)}
      <span className="interval">
        {percent(low, 1)} to {percent(high, 1)} · n {count(n)}
      </span>
    </span>
  );
}
