# Keeps Debian's entries of a one-line sources file (deb [options] uri suite components...).
BEGIN {
  suites["" codename] = suites[codename "-updates"] = suites[codename "-security"] = 1
}
$1 == "deb" {
  line = $0
  options = ""
  if (match(line, /\[[^]]*\]/)) {
    options = substr(line, RSTART, RLENGTH)
    line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
  }
  sub(/#.*/, "", line)
  if (options ~ /signed-by=/ && options !~ /debian-archive/) next
  count = split(line, field, /[ \t]+/)
  if (field[2] !~ /^(https?|mirror|mirror\+https?):/ || !(field[3] in suites)) next
  main = 0
  for (i = 4; i <= count; i++) if (field[i] == "main") main = 1
  if (main) print "deb", options == "" ? field[2] " " field[3] " main" : options " " field[2] " " field[3] " main"
}
