// Package companions is what the companion commands do between the platform, the broker and the fleet's engine: who there is to
// work on, what an upgrade or a recreation of one instance comes to, and what it would come to. It knows no flags, no files and
// no terminals, and asks others only through the clients that it is given.
package companions
