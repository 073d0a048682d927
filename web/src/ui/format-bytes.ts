const UNITS = ["bytes", "KiB", "MiB", "GiB"] as const;

/** 1536 → "1.5 KiB". */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  const unit = bytes === 1 ? "byte" : UNITS[power];
  return `${value.toLocaleString("en", { maximumFractionDigits: power > 0 && value < 100 ? 1 : 0 })} ${unit}`;
}
