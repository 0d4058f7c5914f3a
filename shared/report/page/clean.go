package page

import (
	"reflect"
	"time"

	"github.com/idleseat/idleseat/shared/plain"
)

// Clean returns a copy of v in which every text is one line of printable runes. Text from a directory may contain
// invisible runes, or runes that reverse the reading direction.
func Clean[T any](v T) T {
	return edited(reflect.ValueOf(&v).Elem(), plain.Line).Interface().(T)
}

// InStore returns a copy of v in which the commands in the texts name the store, such as `idleseat apply R --store
// /srv` (plain.InStore). If the store is "", the copy is unchanged.
func InStore[T any](v T, store string) T {
	if store == "" {
		return v
	}
	return edited(reflect.ValueOf(&v).Elem(), func(text string) string { return plain.InStore(text, store) }).Interface().(T)
}

var instant = reflect.TypeFor[time.Time]()

func edited(v reflect.Value, edit func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(edit(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(edited(v.Elem(), edit))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(edited(v.Index(i), edit))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(edited(key, edit), edited(value, edit))
			}
		}
	case reflect.Struct:
		out.Set(v)
		if v.Type() == instant {
			return out
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(edited(v.Field(i), edit))
			}
		}
	default:
		out.Set(v)
	}
	return out
}
