package uaaclients

import (
	"crypto/rand"
	"strings"
)

const (
	secretLength = 32
	lowerCase    = "abcdefghijklmnopqrstuvwxyz"
	upperCase    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits       = "0123456789"
	alphanumeric = lowerCase + upperCase + digits
)

// newSecret is 32 random letters and digits, about 190 bits. There is at least one lower case letter, one upper case
// letter and one digit: a UAA can be told to refuse secrets without, and one in some hundred would be.
func newSecret() string {
	for {
		secret := randomText(secretLength)
		if strings.ContainsAny(secret, lowerCase) && strings.ContainsAny(secret, upperCase) && strings.ContainsAny(secret, digits) {
			return secret
		}
	}
}

// randomText draws bytes and drops those above the last whole multiple of the alphabet's length, which would make its
// first characters likelier than the others.
func randomText(length int) string {
	const fair = 256 - 256%len(alphanumeric)
	text := make([]byte, 0, length)
	for drawn := make([]byte, 2*length); len(text) < length; {
		_, _ = rand.Read(drawn) // never fails
		for _, b := range drawn {
			if int(b) < fair && len(text) < length {
				text = append(text, alphanumeric[int(b)%len(alphanumeric)])
			}
		}
	}
	return string(text)
}
