// Command odb is an on-demand service broker for BOSH.
package main

func main() {}
