package osbcheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What holds for parts of a catalog (OSB 2.17, Catalog Management).

func permissions(one object) error {
	if one["requires"] == nil {
		return nil
	}
	list, isList := one["requires"].([]any)
	for _, permission := range list {
		if !slices.Contains([]any{"syslog_drain", "route_forwarding", "volume_mount"}, permission) {
			return fmt.Errorf("requires has %v", permission)
		}
	}
	if !isList {
		return errors.New("requires is no list")
	}
	return nil
}

const maxSchema = 64 << 10

// sound tells what keeps a platform from using a schema.
func sound(schema object) error {
	if uri, _ := schema["$schema"].(string); uri == "" {
		return errors.New("$schema is missing")
	}
	encoded, err := json.Marshal(schema)
	switch {
	case err != nil:
		return err
	case len(encoded) > maxSchema:
		return fmt.Errorf("it has %d bytes", len(encoded))
	}
	return noReferenceOutside(schema)
}

func noReferenceOutside(value any) error {
	switch v := value.(type) {
	case object:
		if reference, _ := v["$ref"].(string); reference != "" && !strings.HasPrefix(reference, "#") {
			return fmt.Errorf("it refers to %s", reference)
		}
		for _, member := range v {
			if err := noReferenceOutside(member); err != nil {
				return err
			}
		}
	case []any:
		for _, member := range v {
			if err := noReferenceOutside(member); err != nil {
				return err
			}
		}
	}
	return nil
}

// noNullSchemas looks for null at every place on the way to a schema.
func noNullSchemas(plan object) error {
	var look func(path string, value any, given bool, depth int) error
	look = func(path string, value any, given bool, depth int) error {
		if given && value == nil {
			return fmt.Errorf("%s is null", path)
		}
		members, _ := value.(object)
		for name, member := range members {
			if depth < 3 {
				if err := look(path+"."+name, member, true, depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	value, given := plan["schemas"]
	return look("schemas", value, given, 0)
}

// semver is the grammar of semver.org, version 2.0.0.
var semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

func maintenance(plan object) error {
	value, given := plan["maintenance_info"]
	if !given {
		return nil
	}
	info, isObject := value.(object)
	version, _ := info["version"].(string)
	switch {
	case !isObject:
		return errors.New("maintenance_info is no object")
	case !semver.MatchString(version):
		return fmt.Errorf("the maintenance version %q is no semantic version", version)
	}
	for member := range info {
		if member != "version" && member != "description" {
			return fmt.Errorf("maintenance_info has the member %s", member)
		}
	}
	return nil
}

func metadata(one object) error {
	value, given := one["metadata"]
	if !given {
		return nil
	}
	info, isObject := value.(object)
	if !isObject {
		return errors.New("metadata is no object")
	}
	for _, member := range []string{"displayName", "imageUrl", "longDescription", "providerDisplayName", "documentationUrl", "supportUrl"} {
		if value, given := info[member]; given {
			if _, isText := value.(string); !isText {
				return fmt.Errorf("metadata.%s is no text", member)
			}
		}
	}
	for _, member := range []string{"bullets", "costs"} {
		if value, given := info[member]; given {
			if _, isList := value.([]any); !isList {
				return fmt.Errorf("metadata.%s is no list", member)
			}
		}
	}
	return boolean("shareable", false)(info)
}

func dashboardClient(one object) error {
	value, given := one["dashboard_client"]
	if !given {
		return nil
	}
	client, isObject := value.(object)
	if !isObject {
		return errors.New("dashboard_client is no object")
	}
	for _, member := range []string{"id", "secret", "redirect_uri"} {
		if err := text(member)(client); err != nil {
			return fmt.Errorf("dashboard_client: %w", err)
		}
	}
	return nil
}
