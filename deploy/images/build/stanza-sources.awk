# Turns Debian's stanzas of a deb822 sources file (Types: deb ...) into one-line entries.
BEGIN {
  RS = ""
  FS = "\n"
  wanted[codename] = wanted[codename "-updates"] = wanted[codename "-security"] = 1
}
{
  split("", value)
  key = ""
  for (i = 1; i <= NF; i++) {
    if ($i ~ /^#/) continue
    if ($i ~ /^[ \t]/) {
      value[key] = value[key] " " $i
    } else {
      colon = index($i, ":")
      key = tolower(substr($i, 1, colon - 1))
      value[key] = substr($i, colon + 1)
    }
  }
  if (tolower(value["enabled"]) ~ /no|false/) next
  if (" " value["types"] " " !~ /[ \t]deb[ \t]/ || " " value["components"] " " !~ /[ \t]main[ \t]/) next
  signed = value["signed-by"]
  gsub(/^[ \t]+|[ \t]+$/, "", signed)
  if (signed != "" && signed !~ /debian-archive/) next
  options = signed == "" ? "" : "[signed-by=" signed "] "
  uris = split(value["uris"], uri, /[ \t]+/)
  suites = split(value["suites"], suite, /[ \t]+/)
  for (u = 1; u <= uris; u++)
    for (s = 1; s <= suites; s++)
      if (uri[u] ~ /^(https?|mirror|mirror\+https?):/ && suite[s] in wanted) print "deb " options uri[u] " " suite[s] " main"
}
