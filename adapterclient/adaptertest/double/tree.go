package main

import (
	"bytes"
	"encoding/json"
)

// tree is a JSON object whose whole numbers stay whole: 10000000 must not become 1e+07 in a manifest.
type tree map[string]any

func (t *tree) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return err
	}
	for key, value := range object {
		object[key] = plainNumbers(value)
	}
	*t = object
	return nil
}

// plainNumbers replaces the decoder's numbers by Go's.
func plainNumbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		float, _ := value.Float64() // out of range it is infinite, which YAML can say
		return float
	case map[string]any:
		for key, inner := range value {
			value[key] = plainNumbers(inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = plainNumbers(inner)
		}
	}
	return value
}
