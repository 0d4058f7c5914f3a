package page

import (
	"reflect"
	"time"

	"github.com/idleseat/idleseat/shared/plain"
)

// Clean returns a copy of v in which every text is one line of printable runes, at any depth of its structs, slices,
// maps and pointers. Text from a directory may hold marks that reverse the reading direction, or are not visible.
func Clean[T any](v T) T {
	return clean(reflect.ValueOf(&v).Elem()).Interface().(T)
}

var instant = reflect.TypeFor[time.Time]()

func clean(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(plain.Line(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(clean(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(clean(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(clean(key), clean(value))
			}
		}
	case reflect.Struct:
		out.Set(v)
		if v.Type() == instant {
			return out
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(clean(v.Field(i)))
			}
		}
	default:
		out.Set(v)
	}
	return out
}
