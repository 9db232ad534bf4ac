# A web server for a guest that has nothing but Perl: answers, sends so many bytes, and echoes upgraded connections.
use strict;
use warnings;
use IO::Socket::INET;
my $port = shift;
my $server = IO::Socket::INET->new(LocalPort => $port, Listen => 64, ReuseAddr => 1) or die "port $port: $!";
$SIG{CHLD} = 'IGNORE';
while (1) {
  my $client = $server->accept or next;
  if (fork) { close $client; next }
  $client->autoflush(1);
  binmode $client;
  setsockopt $client, 6, 1, 1;
  serve($client);
  exit;
}
sub serve {
  my $client = shift;
  while (defined(my $request = <$client>)) {
    my $upgrades = 0;
    while (defined(my $line = <$client>)) {
      last if $line =~ /^\r?\n$/;
      $upgrades = 1 if $line =~ /^upgrade: *websocket/i;
    }
    if ($upgrades) {
      print $client "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
      my $said;
      syswrite $client, $said while sysread $client, $said, 65536;
      return;
    }
    my $mebibytes = $request =~ m{^GET /bytes/(\d+) } ? $1 : 0;
    my $body = $mebibytes ? '' : "hello\n";
    my $length = $mebibytes ? $mebibytes * 1048576 : length $body;
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: $length\r\n\r\n$body";
    my $piece = 'x' x 1048576;
    print $client $piece for 1 .. $mebibytes;
  }
}
