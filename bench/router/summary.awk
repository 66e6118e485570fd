# Medians over the rounds of one scenario; ratios are taken round by round against the first
# contestant and their median is shown, since neighbours in time share the machine's mood.
function median(a, n,    i, j, t) {
  for (i = 2; i <= n; i++)
    for (j = i; j > 1 && a[j - 1] > a[j]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
  return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
function of(column, k,    i, a) {
  for (i = 1; i <= count[k]; i++) a[i] = value[column, k, i]
  return median(a, count[k])
}
index($1, scenario ":") == 1 {
  k = substr($1, length(scenario) + 2)
  if (!(k in count)) name[++names] = k
  i = ++count[k]
  for (c = 3; c <= 19; c++) value[c, k, i] = $c
  wrong[k] += $13 + $14 + $15 + $16
}
END {
  printf "%-10s %-16s %8s %8s %8s %8s %7s %7s %7s %6s %6s %7s %6s\n", scenario, "contestant",
    "req/s", "p50 us", "p99 us", "cpu us", "ratio", "user", "sys", "proxy%", "other%", "RSS MB", "wrong"
  for (j = 1; j <= names; j++) {
    k = name[j]
    for (i = 1; i <= count[k]; i++) r[i] = value[7, name[1], i] > 0 ? value[7, k, i] / value[7, name[1], i] : 0
    printf "%-10s %-16s %8.0f %8.0f %8.0f %8.2f %7.2f %7.2f %7.2f %6.0f %6.0f %7.1f %6d%s\n", scenario, k,
      of(3, k), of(4, k), of(5, k), of(7, k), median(r, count[k]), of(8, k), of(9, k), of(10, k),
      of(17, k) + of(18, k), of(11, k), wrong[k], wrong[k] ? "  VOID" : ""
  }
}
