package broker

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// memoryBindings are kept in this process.
type memoryBindings struct {
	*sealedBindings
	answers bool // whether what the platform got is kept, too
	now     func() time.Time
}

// sealedBindings are sealed with a key of the process's own: a dump of its memory's pages, or of what is left of them after it
// ended, shows no credentials by itself.
type sealedBindings struct {
	seal  cipher.AEAD
	known *generations[bindingName, sealedBinding]
}

type sealedBinding struct {
	text []byte
	// until is when the answer is to be forgotten; the rest stays.
	until time.Time
}

// How long an answer is kept: for a platform to fetch it, and to fetch it again if that got lost.
const (
	keptUnfetched = time.Hour
	keptFetched   = time.Minute
)

// newSealedBindings makes a key that lives and dies with the process.
func newSealedBindings() (*sealedBindings, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing bindings in memory: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sealing bindings in memory: %w", err)
	}
	return &sealedBindings{seal: seal, known: newGenerations[bindingName, sealedBinding]()}, nil
}

func (m *memoryBindings) read(_ context.Context, name bindingName) (*knownBinding, error) {
	sealed := m.known.get(name)
	if sealed.text == nil {
		return nil, nil
	}
	text, err := m.seal.Open(nil, nil, sealed.text, name.sealedWith())
	if err != nil {
		return nil, errors.New("what is kept of the binding in memory can't be opened")
	}
	var known knownBinding
	if err := json.Unmarshal(text, &known); err != nil {
		return nil, fmt.Errorf("what is kept of the binding in memory can't be read: %w", err)
	}
	if !m.now().Before(sealed.until) {
		known.Answer = nil
	}
	return &known, nil
}

func (m *memoryBindings) write(_ context.Context, name bindingName, known knownBinding) error {
	if !m.answers {
		known.Answer = nil
	}
	text, err := json.Marshal(known)
	if err != nil {
		return fmt.Errorf("keeping the binding in memory: %w", err)
	}
	sealed := sealedBinding{text: m.seal.Seal(nil, nil, text, name.sealedWith()), until: m.now().Add(keptUnfetched)}
	m.known.change(name, func(sealedBinding) sealedBinding { return sealed })
	return nil
}

func (m *memoryBindings) forget(_ context.Context, name bindingName) error {
	m.known.forget(name)
	return nil
}

func (m *memoryBindings) forgetInstance(instanceID string) {
	m.known.forgetAll(func(name bindingName) bool { return name.instanceID == instanceID })
}

func (m *memoryBindings) fetched(name bindingName) {
	m.known.change(name, func(sealed sealedBinding) sealedBinding {
		if soon := m.now().Add(keptFetched); soon.Before(sealed.until) {
			sealed.until = soon
		}
		return sealed
	})
}

// sealedWith binds what is sealed to its place.
func (n bindingName) sealedWith() []byte { return []byte(n.instanceID + "/" + n.bindingID) }
