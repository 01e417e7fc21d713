// Stripes over a colour: what failed or was a floor is seen without any colour.
export function Hatch({ id }: { id: string }) {
  return (
    <defs>
      <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="3" height="6" fill="var(--panel)" fillOpacity="0.65" />
      </pattern>
    </defs>
  );
}
