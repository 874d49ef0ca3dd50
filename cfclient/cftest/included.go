package cftest

// unique collects resources to include with a list, each once, in the order in which they are met.
type unique[R resource] struct {
	met  map[string]bool
	list []R
}

func newUnique[R resource]() *unique[R] { return &unique[R]{met: map[string]bool{}} }

func (u *unique[R]) add(one R) {
	if guid := one.base().guid; !u.met[guid] {
		u.met[guid] = true
		u.list = append(u.list, one)
	}
}

func (u *unique[R]) views(c *CloudController) []any {
	views := make([]any, len(u.list))
	for n, one := range u.list {
		views[n] = one.view(c)
	}
	return views
}

// fields is what of each is asked for in fields[...]: guid, name and a space's organization are modelled, the rest is left
// out.
func (u *unique[R]) fields(asked []string) []map[string]any {
	views := make([]map[string]any, len(u.list))
	for n, one := range u.list {
		view := map[string]any{}
		for _, field := range asked {
			switch field {
			case "guid":
				view[field] = one.base().guid
			case "name":
				view[field] = one.base().name
			case "relationships.organization":
				if space, is := any(one).(*space); is {
					view["relationships"] = map[string]relation{"organization": relatedTo(space.organization.guid)}
				}
			}
		}
		views[n] = view
	}
	return views
}
